import { hash, timingSafeEqual } from "node:crypto";
import { assert } from "../kernel/errors.ts";

const blockBytes = 64;
const digestBytes = 32;
const roomBytes = 512;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, for short texts that come often: two one-shot hashes over
 * buffers that begin with the padded key. Measured for 130 characters: 0.9 µs against 3.0 µs of
 * `createHmac`, which makes OpenSSL contexts and Buffers of their own each time.
 *
 * The buffers stand for the key: `wipe` them when it is no longer needed.
 */
export class HmacKey {
  #inner: Buffer = Buffer.allocUnsafeSlow(blockBytes + roomBytes);
  readonly #outer: Buffer = Buffer.allocUnsafeSlow(blockBytes + digestBytes);
  #wiped = false;

  /** Copies the key, which has at most 64 bytes. */
  constructor(key: Uint8Array) {
    assert(key.length <= blockBytes, "a longer key would have to be hashed first");
    for (let index = 0; index < blockBytes; index++) {
      const byte = key[index] ?? 0;
      this.#inner[index] = byte ^ 0x36;
      this.#outer[index] = byte ^ 0x5c;
    }
  }

  /** The MAC, 64 hex digits, of the UTF-8 bytes of `text` and of bytes given as hex digits. */
  hex(text: string, bytesAsHex = ""): string {
    assert(!this.#wiped, "the key was wiped");
    this.#makeRoom(text.length * 3 + bytesAsHex.length / 2);
    let end = blockBytes + this.#inner.write(text, blockBytes);
    if (bytesAsHex !== "") end += this.#inner.write(bytesAsHex, end, "hex");
    const inner = hash("sha256", this.#inner.subarray(0, end));
    this.#outer.write(inner, blockBytes, "hex");
    return hash("sha256", this.#outer);
  }

  wipe(): void {
    this.#wiped = true;
    this.#inner.fill(0);
    this.#outer.fill(0);
  }

  #makeRoom(bytes: number): void {
    if (blockBytes + bytes <= this.#inner.length) return;
    const grown = Buffer.allocUnsafeSlow(blockBytes + bytes);
    this.#inner.copy(grown, 0, 0, blockBytes);
    this.#inner.fill(0);
    this.#inner = grown;
  }
}

const left = Buffer.alloc(digestBytes * 2);
const right = Buffer.alloc(digestBytes * 2);

/** Compares two texts of 64 hex digits in constant time; false for other lengths. */
export function sameHex(one: string, other: string): boolean {
  if (one.length !== left.length || other.length !== right.length) return false;
  left.write(one, "latin1");
  right.write(other, "latin1");
  return timingSafeEqual(left, right);
}
