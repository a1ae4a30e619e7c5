import type { HeaderValues } from "../auth/canonical.ts";
import type { PrivateEndpoint } from "../kernel/call.ts";

/** How a request came in, as far as bytes and sockets tell. */
export interface TransportFacts {
  /** HTTPS, also when a trusted proxy says so. */
  readonly secure: boolean;
  /** The peer, or behind a trusted proxy the right-most untrusted entry of X-Forwarded-For. */
  readonly sourceIp: string;
  readonly userAgent: string;
  /** `https://host:port` by which the caller reached the server. */
  readonly baseUrl: string;
  readonly tls: { readonly version: string; readonly cipherSuite: string } | undefined;
  /** The private endpoint whose listener took the connection. */
  readonly endpoint?: PrivateEndpoint | undefined;
}

/** One HTTP request without its body. */
export interface HttpExchange {
  readonly method: string;
  /** Raw, as sent: percent-encoding untouched. */
  readonly path: string;
  /** Raw, without the question mark; "" if there is none. */
  readonly query: string;
  readonly headers: HeaderValues;
  readonly transportFacts: TransportFacts;
  /** Aborts when the client has gone or the server stops; made when first asked for. */
  readonly signal: AbortSignal;
  /**
   * Tells the gateway that the sender of the body is proven: its bytes no longer count as
   * unauthenticated. Without it they count until the reply.
   */
  bodyAuthenticated(): void;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A sequence is sent as it comes; if it fails, so does the reply, and its receiver sees that. */
  readonly body: Buffer | string | AsyncIterable<Buffer>;
}

/** What is decided on the head of a request, before a byte of its body is kept. */
export type Admission<A> =
  | {
      /** Longest body that this request may have. The gateway's own limit applies as well. */
      readonly bodyBytesMax: number;
      /** Handed back to `handle`. */
      readonly context: A;
    }
  | { readonly refuse: HttpReply };

/** Why the gateway itself refuses a request. The handler gives it the right wire form. */
export type GatewayRefusal =
  /** 413: the body is longer than it may be. */
  | "body-too-large"
  /** 408: the body came slower than the least rate. */
  | "body-too-slow"
  /** 503: the bytes that may be unauthenticated at one time are used up. */
  | "busy"
  /** 500: the handler threw. A bug. */
  | "internal";

/** Answers requests. A handler never throws: what it throws is a bug, logged and answered 500. */
export interface Handler<A = unknown> {
  admit(exchange: HttpExchange): Admission<A> | Promise<Admission<A>>;
  /** The memory of `body` is given back when this is done: who keeps bytes of it copies them. */
  handle(exchange: HttpExchange, body: Buffer, context: A): Promise<HttpReply>;
  refuse(exchange: HttpExchange, refusal: GatewayRefusal): HttpReply;
}

export const refusalStatus: Readonly<Record<GatewayRefusal, number>> = {
  "body-too-large": 413,
  "body-too-slow": 408,
  busy: 503,
  internal: 500,
};
