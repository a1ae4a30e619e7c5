import type { Json } from "../kernel/json.ts";
import type { AdminRoute } from "./admin.ts";
import type { Handler, HttpExchange, HttpReply } from "./exchange.ts";

export interface Health {
  /** `ok`: requests are served. `sealed`: the server runs without its root key. */
  readonly status: "ok" | "sealed" | "starting" | "stopping";
  readonly clock: "system" | "virtual";
  readonly version: string;
}

/** `GET /_sealpost/health`: 200 once requests are served, else 503. Open to everyone. */
export function healthRoute(health: () => Health): AdminRoute {
  return {
    method: "GET",
    path: "/_sealpost/health",
    action: null,
    handle() {
      const { status, clock, version } = health();
      const json: Json = { status, clock, version };
      return { status: status === "ok" ? 200 : 503, json };
    },
  };
}

/** Answers every request while the server is without its seal. Bodies are not read. */
export function sealedHandler(): Handler<never> {
  const reply = (exchange: HttpExchange) => sealedReply(exchange);
  return {
    admit: (exchange) => ({ refuse: reply(exchange) }),
    handle: async (exchange) => reply(exchange),
    refuse: reply,
  };
}

const sealedText = "This server is sealed: its root key is missing. See the server's log.";

function sealedReply(exchange: HttpExchange): HttpReply {
  const type = exchange.headers.get("content-type") ?? "";
  if (type.startsWith("application/x-amz-json")) {
    const body = { __type: "ServiceUnavailable", message: sealedText };
    return { status: 503, headers: { "content-type": type }, body: JSON.stringify(body) };
  }
  return {
    status: 503,
    headers: { "content-type": "text/xml" },
    body:
      "<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code>" +
      `<Message>${sealedText}</Message></Error></ErrorResponse>`,
  };
}
