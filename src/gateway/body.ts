import type { IncomingMessage } from "node:http";
import { giveBack } from "../kernel/memory.ts";

/** A body as it came, or why it is not one. */
export type BodyResult = Buffer | "body-too-large" | "body-too-slow" | "gone";

/** Watches bodies on their way and cuts those that come too slowly. */
export interface SlowWatch {
  add(progress: Progress): void;
  remove(progress: Progress): void;
  close(): void;
}

/** One body on its way. */
export interface Progress {
  readonly receivedBytes: () => number;
  readonly cut: () => void;
}

/**
 * Looks at all bodies once per window: no timer per request and no clock. A body that began inside
 * a window is judged from the next one on.
 */
export function slowWatch(limits: {
  readonly bodyWindowMs: number;
  readonly bodyBytesPerWindowMin: number;
}): SlowWatch {
  const bytesAtMark = new Map<Progress, number | undefined>();
  const timer = setInterval(() => {
    for (const [progress, before] of bytesAtMark) {
      const receivedBytes = progress.receivedBytes();
      bytesAtMark.set(progress, receivedBytes);
      const slow = before !== undefined && receivedBytes - before < limits.bodyBytesPerWindowMin;
      if (slow) progress.cut();
    }
  }, limits.bodyWindowMs);
  timer.unref();
  return {
    add: (progress) => void bytesAtMark.set(progress, undefined),
    remove: (progress) => void bytesAtMark.delete(progress),
    close: () => clearInterval(timer),
  };
}

/** The announced length in bytes; undefined for a chunked body; 0 if there is none. */
export function announcedBytes(request: IncomingMessage): number | undefined {
  if (request.headers["transfer-encoding"] !== undefined) return undefined;
  // The parser has checked that it is a number.
  return Number(request.headers["content-length"] ?? 0);
}

/** Room that a body has at first; beyond it four times what has come. */
const firstRoomBytes = 128 * 1024;

/**
 * The bytes of a body in one buffer, copied as they come, so that a sender of one-byte pieces costs
 * no more memory than others, and one that announces much and sends little costs little. A body
 * that comes whole is not copied.
 */
export class BodyBuffer {
  readonly #longestBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #usedBytes = 0;

  /** As long as announced, or as it may be. */
  constructor(longestBytes: number) {
    this.#longestBytes = longestBytes;
  }

  get receivedBytes(): number {
    return this.#usedBytes;
  }

  add(piece: Buffer): void {
    const totalBytes = this.#usedBytes + piece.length;
    if (this.#usedBytes === 0) this.#buffer = piece;
    else {
      if (this.#buffer.length < totalBytes) this.#makeRoom(totalBytes);
      piece.copy(this.#buffer, this.#usedBytes);
      giveBack(piece);
    }
    this.#usedBytes = totalBytes;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#usedBytes);
  }

  #makeRoom(totalBytes: number): void {
    const wishedBytes = Math.max(firstRoomBytes, 4 * totalBytes);
    const roomBytes = Math.max(totalBytes, Math.min(this.#longestBytes, wishedBytes));
    const room = Buffer.allocUnsafeSlow(roomBytes);
    this.#buffer.copy(room, 0, 0, this.#usedBytes);
    giveBack(this.#buffer);
    this.#buffer = room;
  }
}

/** Reads a body of at most `bytesMax`. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  watch: SlowWatch,
): Promise<BodyResult> {
  return new Promise((resolve) => {
    const body = new BodyBuffer(announcedBytes(request) ?? bytesMax);
    const onData = (chunk: Buffer): void => {
      if (body.receivedBytes + chunk.length > bytesMax) finish("body-too-large");
      else body.add(chunk);
    };
    const onEnd = (): void => finish(body.bytes());
    const onGone = (): void => finish("gone");
    const progress: Progress = {
      receivedBytes: () => body.receivedBytes,
      cut: () => finish("body-too-slow"),
    };
    const finish = (result: BodyResult): void => {
      watch.remove(progress);
      request.off("data", onData).off("end", onEnd).off("close", onGone);
      // What still comes of a refused body is thrown away.
      if (typeof result === "string") request.resume();
      resolve(result);
    };

    watch.add(progress);
    request.on("data", onData).on("end", onEnd).on("close", onGone);
  });
}
