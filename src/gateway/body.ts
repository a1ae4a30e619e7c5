import type { IncomingMessage } from "node:http";

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

/**
 * Reads a body of at most `bytesMax`. It is copied into one buffer as it comes, so that a sender of
 * one-byte chunks costs no more memory than others.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  watch: SlowWatch,
): Promise<BodyResult> {
  return new Promise((resolve) => {
    const announced = announcedBytes(request);
    let body: Buffer | undefined;
    let receivedBytes = 0;

    const onData = (chunk: Buffer): void => {
      const totalBytes = receivedBytes + chunk.length;
      if (totalBytes > bytesMax) {
        finish("body-too-large");
        return;
      }
      if (receivedBytes === 0) body = chunk;
      else body = append(body, receivedBytes, chunk, announced ?? 0, bytesMax);
      receivedBytes = totalBytes;
    };
    const onEnd = (): void => finish((body ?? Buffer.alloc(0)).subarray(0, receivedBytes));
    const onGone = (): void => finish("gone");
    const progress: Progress = {
      receivedBytes: () => receivedBytes,
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

/** Appends to the first `used` bytes of `body`, in place where it has room. */
function append(
  body: Buffer | undefined,
  used: number,
  chunk: Buffer,
  announced: number,
  bytesMax: number,
): Buffer {
  let target = body;
  // The first chunk is Node's own buffer and exactly full: it always makes room here.
  if (target === undefined || target.length < used + chunk.length) {
    const grown = Math.min(bytesMax, Math.max(2 * used, 4096));
    target = Buffer.allocUnsafeSlow(Math.max(announced, grown, used + chunk.length));
    body?.copy(target, 0, 0, used);
  }
  chunk.copy(target, used);
  return target;
}
