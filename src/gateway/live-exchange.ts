import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { HttpExchange, TransportFacts } from "./exchange.ts";

/** An exchange over a Node request. What is not always needed is made when asked for. */
export class LiveExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly transportFacts: TransportFacts;
  /** Runs once, when the sender of the body is proven or the exchange is over. */
  releaseBody: (() => void) | undefined;
  readonly #request: IncomingMessage;
  #abort: AbortController | undefined;
  #aborted = false;

  constructor(request: IncomingMessage, transportFacts: TransportFacts) {
    const target = originForm(request.url ?? "/");
    const mark = target.indexOf("?");
    this.#request = request;
    this.method = request.method ?? "";
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? "" : target.slice(mark + 1);
    this.headers = request.headers;
    this.transportFacts = transportFacts;
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted && !this.#abort.signal.aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#abort?.abort();
  }

  bodyAuthenticated(): void {
    const release = this.releaseBody;
    this.releaseBody = undefined;
    release?.();
  }
}

/** `http://host/path` (allowed by HTTP for any server) as `/path`; other targets unchanged. */
function originForm(target: string): string {
  const authority = /^https?:\/\/[^/?]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}
