import { assert } from "../kernel/errors.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { keyBytes, nonceBytes, tagBytes } from "./constants.ts";

/*
 * STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): a long text as chunks of AES-256-GCM under one
 * key. Chunk: u32be (bit 31: the last one; the rest: length of what follows) ‖ ciphertext ‖ tag.
 * Nonce: zero(3) ‖ number of the chunk(8) ‖ last(1); AAD: the four bytes before. So a chunk opens
 * in its place only, and a text that was cut off has no last chunk.
 */
const headBytes = 4;
const lastBit = 0x8000_0000;

/** Plaintext of a chunk; bounds what a reader holds before it knows that the bytes are genuine. */
export const chunkBytesMax = 256 * 1024;

/** Seals the next chunk. INVARIANT: the key seals this one text and nothing else. */
export type SealChunk = (plaintext: Uint8Array, last: boolean) => Buffer;

export function streamSealer(key: Uint8Array): SealChunk {
  assert(key.length === keyBytes, "a stream has a key of 32 bytes");
  let number = 0;
  return (plaintext, last) => {
    assert(plaintext.length <= chunkBytesMax, "a chunk has its bound");
    const head = Buffer.alloc(headBytes);
    head.writeUInt32BE(((last ? lastBit : 0) | (plaintext.length + tagBytes)) >>> 0);
    const sealed = aeadSeal(key, nonceOf(number, last), head, plaintext);
    number += 1;
    return Buffer.concat([head, sealed]);
  };
}

export type OpenedChunk =
  | { readonly status: "chunk"; readonly plaintext: Buffer; readonly last: boolean }
  /** Another key, changed bytes, or a chunk out of its place; nothing after it can be read. */
  | { readonly status: "damaged" };

export interface ChunkReader {
  /** Opens the whole chunks in what has come so far. */
  push(bytes: Buffer): OpenedChunk[];
  /** Nothing is left over: the last chunk was the end of what came. */
  readonly ended: boolean;
}

export function streamOpener(key: Uint8Array): ChunkReader {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  let ended = false;
  let damaged = false;

  function openNext(): OpenedChunk | undefined {
    if (rest.length < headBytes) return undefined;
    const word = rest.readUInt32BE();
    const last = (word & lastBit) !== 0;
    const length = (word & ~lastBit) >>> 0;
    if (length < tagBytes || length > chunkBytesMax + tagBytes) return { status: "damaged" };
    const end = headBytes + length;
    if (rest.length < end) return undefined;
    const head = rest.subarray(0, headBytes);
    const sealed = rest.subarray(headBytes, end);
    const plaintext = aeadOpen(key, nonceOf(number, last), head, sealed);
    rest = rest.subarray(end);
    number += 1;
    return plaintext ? { status: "chunk", plaintext, last } : { status: "damaged" };
  }

  return {
    push(bytes) {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const opened: OpenedChunk[] = [];
      while (!damaged && !ended) {
        const next = openNext();
        if (next === undefined) break;
        opened.push(next);
        if (next.status === "damaged") damaged = true;
        else ended = next.last;
      }
      return opened;
    },
    get ended() {
      return ended && rest.length === 0;
    },
  };
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeBigUInt64BE(BigInt(number), 3);
  nonce[nonceBytes - 1] = last ? 1 : 0;
  return nonce;
}
