import type { Handler, HttpExchange, HttpReply } from "../../gateway/exchange.ts";

/** How far the scripts of the start are; `serve` writes it, the route tells it. */
export interface InitProgress {
  completed: boolean;
  scripts: { readonly name: string; state: "UNKNOWN" | "RUNNING" | "SUCCESSFUL" | "ERROR" }[];
}

export interface LocalstackRoutes {
  readonly services: readonly string[];
  readonly version: string;
  readonly init: Readonly<InitProgress>;
}

/** The front as it is, under the preset with the routes of LocalStack before it. */
export function routesFor(
  preset: "localstack" | undefined,
  routes: LocalstackRoutes,
  front: Handler,
): Handler {
  return preset === "localstack" ? withLocalstackRoutes(routes, front) : front;
}

/**
 * Answers what scripts ask LocalStack: `/health`, `/_localstack/health`, `/_localstack/init` and
 * `/_localstack/init/ready`, in its very spacing, since scripts look for texts in it. A service is
 * `available`, and `running` once it was used.
 */
function withLocalstackRoutes(routes: LocalstackRoutes, front: Handler): Handler {
  const used = new Set<string>();
  return {
    async admit(exchange) {
      const reply = answer(routes, used, exchange);
      if (reply) return { refuse: reply };
      const service = signedService(exchange);
      if (routes.services.includes(service)) used.add(service);
      return front.admit(exchange);
    },
    handle: (exchange, body, context) => front.handle(exchange, body, context),
    refuse: (exchange, refusal) => front.refuse(exchange, refusal),
  };
}

function answer(
  routes: LocalstackRoutes,
  used: ReadonlySet<string>,
  { method, path }: HttpExchange,
): HttpReply | undefined {
  const own = path === "/health" || path.startsWith("/_localstack/");
  if (!own) return undefined;
  const value = method === "GET" || method === "HEAD" ? valueAt(routes, used, path) : undefined;
  const status = value === undefined ? 404 : 200;
  const body = spaced(value ?? { message: "Sealpost has no such address" });
  return { status, headers: { "content-type": "application/json" }, body };
}

function valueAt(
  { services, version, init }: LocalstackRoutes,
  used: ReadonlySet<string>,
  path: string,
): object | undefined {
  switch (path) {
    case "/health":
    case "/_localstack/health": {
      const states = services.map((name) => [name, used.has(name) ? "running" : "available"]);
      return { services: Object.fromEntries(states), edition: "sealpost", version };
    }
    case "/_localstack/init":
      return { completed: { BOOT: true, START: true, READY: init.completed }, ...scripts(init) };
    case "/_localstack/init/ready":
    case "/_localstack/init/READY":
      return { completed: init.completed, ...scripts(init) };
    default:
      return undefined;
  }
}

function scripts(init: Readonly<InitProgress>): object {
  return { scripts: init.scripts.map(({ name, state }) => ({ stage: "READY", name, state })) };
}

/** JSON with a blank after `:` and `,`, as Python writes it. */
function spaced(value: object): string {
  return JSON.stringify(value, null, 1)
    .replace(/\n */g, " ")
    .replace(/([[{]) | (?=[\]}])/g, "$1");
}

function signedService({ headers }: HttpExchange): string {
  return (
    /Credential=[^/]*\/[^/]*\/[^/]*\/([a-z0-9-]{1,32})\//.exec(
      headers.get("authorization") ?? "",
    )?.[1] ?? ""
  );
}
