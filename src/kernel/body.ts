import { assert } from "./errors.ts";

/** A body for the store. */
export interface Body {
  /** Who has the same array has the same body, but for what is inserted. */
  readonly bytes: Uint8Array;
  readonly insertion: Insertion | undefined;
}

/** Bytes that one copy of a body has and others have not. */
export interface Insertion {
  /**
   * How many bytes of the body come after them; at most all. From the end, since that is where
   * bodies of the same kind are alike.
   */
  readonly before: number;
  /** At most `insertedBytesMax`. */
  readonly bytes: Uint8Array;
}

export const insertedBytesMax = 32 * 1024;

/** An insertion that does not belong to its body is a bug. */
export function checkInsertion({ length }: Uint8Array, { before, bytes }: Insertion): void {
  assert(before >= 0 && before <= length, "what is inserted belongs into the body");
  assert(bytes.length <= insertedBytesMax, "what is inserted is short");
}

/** With what is inserted; without, the body as it is. */
export function wholeBody({ bytes, insertion }: Body): Uint8Array {
  return insertion ? withInserted(bytes, insertion) : bytes;
}

/** In a buffer of its own. */
export function withInserted(body: Uint8Array, { before, bytes }: Insertion): Buffer {
  const at = body.length - before;
  return Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)]);
}
