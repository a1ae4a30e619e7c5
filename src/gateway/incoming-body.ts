import { BodyBuffer, type BodyResult, type SlowWatch } from "./body.ts";

/**
 * A body of announced length on its way over a connection that is read in the direct lane. Its
 * bytes wait in the connection until somebody wants them, or nobody does any more.
 */
export class IncomingBody {
  #buffer: BodyBuffer;
  readonly #flow: () => void;
  #leftBytes: number;
  #settle: ((result: BodyResult) => void) | undefined;
  #passed = false;

  /** `flow` is called when bytes that were held back can be taken. */
  constructor(announcedBytes: number, flow: () => void) {
    this.#buffer = new BodyBuffer(announcedBytes);
    this.#leftBytes = announcedBytes;
    this.#flow = flow;
  }

  /** Announced and not taken yet. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Whether bytes are to be taken as they come. */
  get flows(): boolean {
    return this.#passed || this.#settle !== undefined;
  }

  /** Answers the whole body, once `deliver` finds it whole. */
  read(watch: SlowWatch): Promise<BodyResult> {
    return new Promise((resolve) => {
      const progress = {
        receivedBytes: () => this.#buffer.receivedBytes,
        cut: () => this.#settle?.("body-too-slow"),
      };
      watch.add(progress);
      this.#settle = (result) => {
        this.#settle = undefined;
        watch.remove(progress);
        resolve(result);
      };
      this.#flow();
    });
  }

  /** Takes what belongs to the body; answers what does not. */
  take(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, this.#leftBytes);
    const rest = bytes.subarray(part.length);
    this.#leftBytes -= part.length;
    if (!this.#passed) this.#buffer.add(part);
    return rest;
  }

  /** What was taken. */
  bytes(): Buffer {
    return this.#buffer.bytes();
  }

  /** Hands the body to its reader, if it is whole. */
  deliver(): void {
    if (this.#leftBytes === 0) this.#settle?.(this.#buffer.bytes());
  }

  /** Nobody wants it: what still comes is thrown away. */
  pass(): void {
    this.#passed = true;
    this.#buffer = new BodyBuffer(0);
    this.#flow();
  }

  /** Its sender has left. */
  cut(): void {
    this.#settle?.("gone");
  }
}
