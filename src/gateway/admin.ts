import { Fault, Refusal } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import type { Log } from "../kernel/log.ts";
import { isLoopbackAddress } from "./addresses.ts";
import {
  type Admission,
  type GatewayRefusal,
  type Handler,
  type HttpExchange,
  type HttpReply,
  refusalStatus,
} from "./exchange.ts";

/** One route of the server's own API. main extends the table; the rest derives from it. */
export interface AdminRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/_sealpost/clock` */
  readonly path: string;
  /** What the caller must be allowed to do; null: anyone may, unsigned. */
  readonly action: AdminAction | null;
  /** What of the input the audit keeps; absent: all of it. */
  readonly audited?: (input: Json | undefined) => Json;
  /** Leaves no audit record when done; refusals always do. */
  readonly unrecorded?: boolean;
  /** Throws Refusal for what the client did wrong. */
  handle(input: Json | undefined, query: URLSearchParams): Promise<AdminReply> | AdminReply;
}

export type AdminAction = `sealpost:${string}`;

export type AdminReply =
  | { readonly status?: number; readonly json: Json }
  | { readonly status?: number; readonly text: string; readonly contentType: string }
  | { readonly stream: AsyncIterable<Buffer>; readonly contentType: string };

/** Who may: SigV4 with service name `sealpost`, then the policies of the operator account. */
export interface AdminGuard {
  /** Throws the refusal; resolves if the caller is proven and allowed. */
  authorise(exchange: HttpExchange, body: Buffer, action: AdminAction): Promise<void>;
  /** The act is over; resolves once the record of it is kept. `error`: why it was not done. */
  settled?(
    exchange: HttpExchange,
    action: AdminAction,
    input: Json | undefined,
    error?: Error,
  ): Promise<void>;
}

export interface AdminOptions {
  readonly routes: readonly AdminRoute[];
  readonly guard: AdminGuard;
  /** Accept plain HTTP from other machines. */
  readonly allowInsecureSecrets: boolean;
  readonly log: Log;
}

export const adminPrefix = "/_sealpost/";

export const adminBodyBytesMax = 64 * 1024;

/** Answers `/_sealpost/…`. Errors are JSON `{"code","message"}`. */
export function adminHandler(options: AdminOptions): Handler<AdminRoute> {
  return {
    admit: (exchange) => admit(options, exchange),
    handle: (exchange, body, route) => handle(options, exchange, body, route),
    refuse: (_exchange, refusal) => refuseAdmin(refusal),
  };
}

/** Splits requests between the server's own API and everything else. */
export function withAdmin<A>(admin: Handler<AdminRoute>, front: Handler<A>): Handler {
  const handlerOf = (exchange: HttpExchange): Handler =>
    // The context that a handler's admit returns comes back to that handler only.
    (exchange.path.startsWith(adminPrefix) ? admin : front) as Handler;
  return {
    admit: (exchange) => handlerOf(exchange).admit(exchange),
    handle: (exchange, body, context) => handlerOf(exchange).handle(exchange, body, context),
    refuse: (exchange, refusal) => handlerOf(exchange).refuse(exchange, refusal),
  };
}

function admit(options: AdminOptions, exchange: HttpExchange): Admission<AdminRoute> {
  const { secure, sourceIp } = exchange.transportFacts;
  if (!secure && !isLoopbackAddress(sourceIp) && !options.allowInsecureSecrets) {
    return { refuse: errorReply(403, "InvalidSecurity", "this address answers HTTPS only") };
  }
  const here = options.routes.filter((route) => route.path === exchange.path);
  const route = here.find(({ method }) => method === exchange.method);
  if (route) return { bodyBytesMax: adminBodyBytesMax, context: route };
  if (here.length === 0) return { refuse: errorReply(404, "NotFound", "there is no such address") };
  const allow = here.map(({ method }) => method).join(", ");
  const reply = errorReply(405, "MethodNotAllowed", `this address answers ${allow} only`);
  return { refuse: { ...reply, headers: { ...reply.headers, allow } } };
}

async function handle(
  options: AdminOptions,
  exchange: HttpExchange,
  body: Buffer,
  route: AdminRoute,
): Promise<HttpReply> {
  const { guard } = options;
  const { action } = route;
  let input: Json | undefined;
  try {
    if (action !== null) await guard.authorise(exchange, body, action);
    exchange.bodyAuthenticated();
    input = parseBody(body);
    const reply = await route.handle(input, new URLSearchParams(exchange.query));
    // What only reads leaves no record; what changes something is answered after it.
    const recorded = action !== null && route.method !== "GET" && !route.unrecorded;
    if (recorded) await guard.settled?.(exchange, action, audited(route, input));
    return formReply(reply);
  } catch (error) {
    if (action !== null && error instanceof Error) {
      await guard.settled?.(exchange, action, audited(route, input), error);
    }
    if (error instanceof Refusal) {
      return errorReply(error.status ?? 400, error.code, error.message);
    }
    options.log.error("an admin route failed", { path: route.path, error });
    if (error instanceof Fault) return errorReply(503, "ServiceUnavailable", error.message);
    return errorReply(500, "InternalFailure", "an internal error occurred; see the server's log");
  }
}

function parseBody(body: Buffer): Json | undefined {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal("InvalidRequest", "the body is not JSON", { status: 400 });
  }
}

function audited(route: AdminRoute, input: Json | undefined): Json | undefined {
  return route.audited ? route.audited(input) : input;
}

function formReply(reply: AdminReply): HttpReply {
  if ("stream" in reply) {
    const headers = { "content-type": reply.contentType, "cache-control": "no-store" };
    return { status: 200, headers, body: reply.stream };
  }
  const status = reply.status ?? 200;
  if ("json" in reply) return jsonReply(status, reply.json);
  return {
    status,
    headers: { "content-type": reply.contentType, "cache-control": "no-store" },
    body: reply.text,
  };
}

export function refuseAdmin(refusal: GatewayRefusal): HttpReply {
  return errorReply(refusalStatus[refusal], refusalCodes[refusal], refusalTexts[refusal]);
}

const refusalCodes: Readonly<Record<GatewayRefusal, string>> = {
  "body-too-large": "RequestEntityTooLarge",
  "body-too-slow": "RequestTimeout",
  busy: "ServiceUnavailable",
  internal: "InternalFailure",
};

const refusalTexts: Readonly<Record<GatewayRefusal, string>> = {
  "body-too-large": "the body is too large",
  "body-too-slow": "the body came too slowly",
  busy: "too many bodies are on their way; try again",
  internal: "an internal error occurred; see the server's log",
};

function errorReply(status: number, code: string, message: string): HttpReply {
  return jsonReply(status, { code, message });
}

function jsonReply(status: number, json: Json): HttpReply {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
    body: `${JSON.stringify(json)}\n`,
  };
}
