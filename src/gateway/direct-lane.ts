import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import { assert } from "../kernel/errors.ts";
import type { Carrier, Connection } from "./carrier.ts";
import type { HttpReply } from "./exchange.ts";
import type { GatewayLimits } from "./limits.ts";
import { type PlainHead, readPlainHead } from "./request-head.ts";
import { together } from "./together.ts";

export interface DirectLaneOptions {
  readonly limits: Pick<
    GatewayLimits,
    "headerBytesMax" | "headerMs" | "keepAliveMs" | "inactiveMs"
  >;
  /** For the Date header, from which clients correct their clocks. */
  readonly systemClock: Pick<Clock, "now">;
  connectionOf(socket: Socket): Connection;
  serve(carrier: Carrier): void;
  /** Takes a connection over whose next bytes are put back unread. */
  handOver(socket: Socket): void;
}

/**
 * Connections on which each request comes in one piece and is of the plain form: read here without
 * the streams, events and timers that `node:http` has for all other forms (half of the cost of a
 * short request). With the first piece that is anything else, malformed ones included, the
 * connection goes to `node:http` for good; nothing of that piece has been acted on.
 */
export interface DirectLane {
  take(socket: Socket): void;
  /** Ends the connections that have nothing in work. */
  closeIdle(): void;
}

export function directLane(options: DirectLaneOptions): DirectLane {
  const lines = new Set<Line>();
  const surroundings: Surroundings = {
    ...options,
    writeHead: headWriter(options),
    arrived: together((line) => line.goOn()),
  };
  return {
    take(socket) {
      const line = new Line(socket, surroundings, () => lines.delete(line));
      lines.add(line);
    },
    closeIdle() {
      for (const line of lines) line.closeIfIdle();
    },
  };
}

interface Surroundings extends DirectLaneOptions {
  readonly writeHead: HeadWriter;
  /** The line has bytes to go on with at the end of this turn. */
  readonly arrived: (line: Line) => void;
}

/** More than this waits in the socket while a request is in work. */
const heldBytesMax = 64 * 1024;

class Line {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly #options: Surroundings;
  readonly #left: () => void;
  #request: DirectRequest | undefined;
  /** The answer before is still on its way to a slow reader. */
  #clogged = false;
  #served = false;
  /** The request in work has outlasted the time that an idle connection is kept. */
  #patient = false;
  #held: Buffer | undefined;

  constructor(socket: Socket, options: Surroundings, left: () => void) {
    this.socket = socket;
    this.connection = options.connectionOf(socket);
    this.#options = options;
    this.#left = left;
    socket.setTimeout(options.limits.headerMs);
    socket.on("data", this.#onData).on("drain", this.#onDrain).on("timeout", this.#onTimeout);
    socket.on("end", this.#onEnd).on("error", this.#onError).on("close", this.#onClose);
  }

  closeIfIdle(): void {
    if (this.#request === undefined && this.#held === undefined) this.socket.destroy();
  }

  /** Sends the answer to the request in work and goes on to the next. */
  answer(request: DirectRequest, answer: HttpReply, close: boolean): void {
    if (this.#request !== request || this.socket.destroyed) return;
    const { status, headers, body } = answer;
    if (typeof body !== "string" && !Buffer.isBuffer(body)) {
      const head = this.#options.writeHead(status, headers, undefined, true);
      this.#stream(request, head, body);
      return;
    }
    const head = this.#options.writeHead(status, headers, Buffer.byteLength(body), close);
    this.#clogged = !this.#send(head, body);
    this.#request = undefined;
    request.settle(true);
    if (close) this.socket.destroySoon();
    else this.goOn();
  }

  #send(head: string, body: string | Buffer): boolean {
    const { socket } = this;
    if (typeof body === "string") return socket.write(head + body);
    socket.cork();
    socket.write(head, "latin1");
    const flowing = socket.write(body);
    socket.uncork();
    return flowing;
  }

  /** A sequence of unknown length, and the last answer here; what fails is cut, and seen so. */
  #stream(request: DirectRequest, head: string, parts: AsyncIterable<Buffer>): void {
    this.socket.write(head, "latin1");
    pipeline(Readable.from(chunked(parts), { objectMode: false }), this.socket, (error) => {
      this.#request = undefined;
      request.settle(!error);
    });
  }

  /** Reads what is held, if nothing is in work. */
  goOn(): void {
    if (this.#request !== undefined) return;
    if (this.#patient) this.#setPatience(false);
    if (this.#clogged || this.#held === undefined) return;
    const held = this.#held;
    this.#held = undefined;
    if (held.length >= heldBytesMax) this.socket.resume();
    this.#read(held);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#held.length >= heldBytesMax) this.socket.pause();
    if (this.#request === undefined && !this.#clogged) this.#options.arrived(this);
  };

  #read(bytes: Buffer): void {
    const { limits, serve } = this.#options;
    const head = readPlainHead(bytes, limits.headerBytesMax);
    if (head === undefined || bytes.length !== head.bodyAt + head.bodyBytes) {
      this.#handOver(bytes);
      return;
    }
    if (!this.#served) this.socket.setTimeout(limits.keepAliveMs);
    this.#served = true;
    const request = new DirectRequest(this, head, bytes.subarray(head.bodyAt));
    this.#request = request;
    serve(request);
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this;
    socket.off("data", this.#onData).off("drain", this.#onDrain).off("timeout", this.#onTimeout);
    socket.off("end", this.#onEnd).off("error", this.#onError).off("close", this.#onClose);
    this.#left();
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(bytes);
    this.#options.handOver(socket);
    socket.resume();
  }

  #setPatience(patient: boolean): void {
    const { inactiveMs, keepAliveMs } = this.#options.limits;
    this.#patient = patient;
    this.socket.setTimeout(patient ? inactiveMs : keepAliveMs);
  }

  readonly #onDrain = (): void => {
    this.#clogged = false;
    this.goOn();
  };

  readonly #onTimeout = (): void => {
    if (this.#request !== undefined && !this.#patient) this.#setPatience(true);
    else this.socket.destroy();
  };

  readonly #onEnd = (): void => {
    this.socket.end();
  };

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#left();
    this.#held = undefined;
    const request = this.#request;
    this.#request = undefined;
    request?.settle(false);
  };
}

async function* chunked(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    if (part.length === 0) continue;
    yield Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, crlf]);
  }
  yield Buffer.from("0\r\n\r\n");
}

const crlf = Buffer.from("\r\n");

class DirectRequest implements Carrier {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly head: PlainHead;
  readonly announcedBytes: number;
  readonly expectsContinue = false;
  readonly complete = true;
  readonly #line: Line;
  readonly #body: Buffer;
  #over: ((answered: boolean) => void) | undefined;

  constructor(line: Line, head: PlainHead, body: Buffer) {
    this.socket = line.socket;
    this.connection = line.connection;
    this.head = head;
    this.announcedBytes = head.bodyBytes;
    this.#line = line;
    this.#body = body;
  }

  sendContinue(): void {
    assert(false, "a request in one piece waits for no leave");
  }

  readBody(bytesMax: number): Buffer | "body-too-large" {
    return this.#body.length > bytesMax ? "body-too-large" : this.#body;
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

type HeadWriter = (
  status: number,
  headers: HttpReply["headers"],
  /** undefined: it comes in chunks. */
  bodyBytes: number | undefined,
  close: boolean,
) => string;

/** Heads of answers, with the headers that `node:http` adds. */
function headWriter({ limits, systemClock }: DirectLaneOptions): HeadWriter {
  const keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(limits.keepAliveMs / 1000)}\r\n\r\n`;
  let second = Number.NaN;
  let date = "";
  return (status, headers, bodyBytes, close) => {
    const now = Math.floor(systemClock.now() / 1000);
    if (now !== second) {
      second = now;
      date = new Date(now * 1000).toUTCString();
    }
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    for (const name in headers) {
      const value = headers[name] ?? "";
      assert(headerValue.test(value), `the header ${name} would break the answer's head`);
      head += `${name}: ${value}\r\n`;
    }
    head += bodyBytes === undefined ? "transfer-encoding: chunked" : `content-length: ${bodyBytes}`;
    head += `\r\nDate: ${date}\r\n`;
    return head + (close ? "Connection: close\r\n\r\n" : keepAlive);
  };
}

const headerValue = /^[\t -~]*$/;
