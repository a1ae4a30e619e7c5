import type { HeaderValues } from "../auth/canonical.ts";
import type { Bagged } from "../kernel/bag.ts";
import type { HttpExchange, TransportFacts } from "./exchange.ts";
import type { RequestHead } from "./request-head.ts";

/** An exchange as it is carried out. What is not always needed is made when asked for. */
export class LiveExchange implements HttpExchange, Bagged {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: HeaderValues;
  readonly transportFacts: TransportFacts;
  /** Runs once, when the sender of the body is proven or the exchange is over. */
  whenProven: (() => void) | undefined;
  /** Of the bag of all that are in work. */
  place = -1;
  #abort: AbortController | undefined;
  #aborted = false;

  constructor(head: RequestHead, transportFacts: TransportFacts) {
    const target = originForm(head.target);
    const mark = target.indexOf("?");
    this.method = head.method;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? "" : target.slice(mark + 1);
    this.headers = head.headers;
    this.transportFacts = transportFacts;
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
    const told = this.whenProven;
    this.whenProven = undefined;
    told?.();
  }
}

/** `http://host/path` (allowed by HTTP for any server) as `/path`; other targets unchanged. */
function originForm(target: string): string {
  if (target.startsWith("/")) return target;
  const authority = /^https?:\/\/[^/?]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}
