import type { Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import { chunked, type HeadWriter, headWriter } from "./answer-head.ts";
import type { Carrier, Connection } from "./carrier.ts";
import { DirectRequest } from "./direct-request.ts";
import type { HttpReply } from "./exchange.ts";
import { IncomingBody } from "./incoming-body.ts";
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
 * Connections on which each head comes in one piece and is of the plain form: read here, with the
 * body in any number of pieces, without the streams, events and timers that `node:http` has for all
 * other forms (half of the cost of a short request). With the first piece that should be a head and
 * is anything else, malformed ones included, the connection goes to `node:http` for good; nothing of
 * that piece has been acted on.
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

/** More than this waits in the socket for its turn: the next request, or a body not yet wanted. */
const heldBytesMax = 64 * 1024;

class Line {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly #options: Surroundings;
  readonly #left: () => void;
  #request: DirectRequest | undefined;
  /** Of the request in work, or of the one before that was answered early: not all of it is here. */
  #body: IncomingBody | undefined;
  /** The answer before is still on its way to a slow reader. */
  #clogged = false;
  #served = false;
  /** The request in work has outlasted the time that an idle connection is kept. */
  #patient = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The last answer is on its way: what still comes is thrown away. */
  #ending = false;

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
    if (this.#request === undefined && this.#heldBytes === 0) this.socket.destroy();
  }

  /** Sends the answer to the request in work and goes on to the next. */
  answer(request: DirectRequest, answer: HttpReply, close: boolean): void {
    if (this.#request !== request || this.socket.destroyed) return;
    this.#ending = close;
    this.#body?.pass();
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

  /** Hands a body that is whole to its reader; reads what is held, if nothing is in work. */
  goOn(): void {
    if (this.#request !== undefined) {
      this.#body?.deliver();
      return;
    }
    if (this.#patient) this.#setPatience(false);
    if (this.#clogged || this.#heldBytes === 0 || this.#bodyLeftBytes > 0) return;
    this.#read();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#ending) return;
    this.#hold(bytes);
    if (this.#body?.flows) this.#fillBody(this.#body);
    if (this.#request === undefined && !this.#clogged) this.#options.arrived(this);
  };

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= heldBytesMax) this.socket.pause();
  }

  get #bodyLeftBytes(): number {
    return this.#body?.leftBytes ?? 0;
  }

  #takeHeld(): readonly Buffer[] {
    const held = this.#held;
    const paused = this.#heldBytes >= heldBytesMax;
    this.#held = [];
    this.#heldBytes = 0;
    if (paused) this.socket.resume();
    return held;
  }

  /** What is held belongs to the body first. */
  #fillBody(body: IncomingBody): void {
    if (this.#heldBytes === 0 || body.leftBytes === 0) return;
    for (const piece of this.#takeHeld()) this.#hold(body.take(piece));
    if (body.leftBytes === 0) this.#options.arrived(this);
  }

  #read(): void {
    const { limits, serve } = this.#options;
    const heldBytes = this.#heldBytes;
    const [first = noBytes, ...others] = this.#takeHeld();
    const head = readPlainHead(first, limits.headerBytesMax);
    const missingBytes = head ? head.bodyAt + head.bodyBytes - heldBytes : -1;
    if (head === undefined || missingBytes < 0) {
      this.#handOver(Buffer.concat([first, ...others]));
      return;
    }
    if (!this.#served) this.socket.setTimeout(limits.keepAliveMs);
    this.#served = true;
    const part = first.subarray(head.bodyAt);
    this.#body = undefined;
    const body =
      part.length === head.bodyBytes ? part : this.#bodyInPieces(head, [part, ...others]);
    const request = new DirectRequest(this, head, body);
    this.#request = request;
    serve(request);
  }

  /** A body of which these pieces are here: a buffer if they are all. */
  #bodyInPieces({ bodyBytes }: PlainHead, pieces: readonly Buffer[]): Buffer | IncomingBody {
    const body = new IncomingBody(bodyBytes, () => this.#fillBody(body));
    if (pieces.reduce((sum, { length }) => sum + length, 0) < bodyBytes) {
      for (const piece of pieces) this.#hold(piece);
      this.#body = body;
      return body;
    }
    for (const piece of pieces) body.take(piece);
    return body.bytes();
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
    // A body that will never be whole has nobody left to be answered.
    if (this.#bodyLeftBytes > this.#heldBytes) this.socket.destroy();
    else this.socket.end();
  };

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#left();
    this.#held = [];
    this.#heldBytes = 0;
    const request = this.#request;
    this.#request = undefined;
    this.#body?.cut();
    request?.settle(false);
  };
}

const noBytes = Buffer.alloc(0);
