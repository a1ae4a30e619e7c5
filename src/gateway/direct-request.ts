import type { Socket } from "node:net";
import { assert } from "../kernel/errors.ts";
import type { BodyResult, SlowWatch } from "./body.ts";
import type { Carrier, Connection } from "./carrier.ts";
import type { HttpReply } from "./exchange.ts";
import type { IncomingBody } from "./incoming-body.ts";
import type { PlainHead } from "./request-head.ts";

/** The connection that a request came by. */
export interface DirectLine {
  readonly socket: Socket;
  readonly connection: Connection;
  answer(request: DirectRequest, answer: HttpReply, close: boolean): void;
}

/** A request that the direct lane reads. */
export class DirectRequest implements Carrier {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly head: PlainHead;
  readonly announcedBytes: number;
  readonly expectsContinue = false;
  readonly #line: DirectLine;
  readonly #body: Buffer | IncomingBody;
  #over: ((answered: boolean) => void) | undefined;

  constructor(line: DirectLine, head: PlainHead, body: Buffer | IncomingBody) {
    this.socket = line.socket;
    this.connection = line.connection;
    this.head = head;
    this.announcedBytes = head.bodyBytes;
    this.#line = line;
    this.#body = body;
  }

  get complete(): boolean {
    return Buffer.isBuffer(this.#body) || this.#body.leftBytes === 0;
  }

  sendContinue(): void {
    assert(false, "a request that waits for leave is not read here");
  }

  readBody(bytesMax: number, watch: SlowWatch): BodyResult | Promise<BodyResult> {
    if (this.announcedBytes > bytesMax) return "body-too-large";
    return Buffer.isBuffer(this.#body) ? this.#body : this.#body.read(watch);
  }

  reply(answer: HttpReply, close: boolean): void {
    this.#line.answer(this, answer, close);
  }

  onOver(over: (answered: boolean) => void): void {
    this.#over = over;
  }

  settle(answered: boolean): void {
    this.#over?.(answered);
  }
}
