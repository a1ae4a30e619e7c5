import { hash, hkdfSync } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import { digestBytes, keyBytes } from "./constants.ts";

const blockBytes = 64;
const counterBytes = 4;
const [innerPad, outerPad] = [0x36, 0x5c];

/**
 * SP 800-108r1 §4.1, counter mode, HMAC-SHA-256, 32-bit counter before the fixed input. Answers
 * `lengthBytes` in a buffer of its own. One-shot hashes (FIPS 198-1 written out): every KMS call
 * derives two keys, and this takes half the time of `createHmac`.
 */
export function counterMode(key: Uint8Array, fixedInput: Uint8Array, lengthBytes: number): Buffer {
  assert(key.length <= blockBytes, "a key fits into a block of its hash");
  const output = Buffer.allocUnsafeSlow(lengthBytes);
  const inner = Buffer.allocUnsafe(blockBytes + counterBytes + fixedInput.length);
  inner.fill(innerPad, 0, blockBytes).set(fixedInput, blockBytes + counterBytes);
  const outer = Buffer.allocUnsafe(blockBytes + digestBytes).fill(outerPad, 0, blockBytes);
  for (let at = 0; at < key.length; at += 1) {
    inner[at] = innerPad ^ (key[at] ?? 0);
    outer[at] = outerPad ^ (key[at] ?? 0);
  }
  for (let offset = 0, index = 1; offset < lengthBytes; offset += digestBytes, index += 1) {
    inner.writeUInt32BE(index, blockBytes);
    outer.set(hash("sha256", inner, "buffer"), blockBytes);
    const block = hash("sha256", outer, "buffer");
    block.copy(output, offset);
    block.fill(0);
  }
  inner.fill(0);
  outer.fill(0);
  return output;
}

/** Key derived for one purpose: fixed input is label ‖ 0x00 ‖ context ‖ length in bits (u32be). */
export function deriveKey(
  key: Uint8Array,
  label: string,
  context: Uint8Array,
  lengthBytes: number = keyBytes,
): Buffer {
  assert(!label.includes("\0"), "a label ends at its zero byte");
  const labelBytes = Buffer.byteLength(label);
  const fixedInput = Buffer.allocUnsafe(labelBytes + 1 + context.length + 4);
  fixedInput.write(label, 0);
  fixedInput[labelBytes] = 0;
  fixedInput.set(context, labelBytes + 1);
  fixedInput.writeUInt32BE(lengthBytes * 8, fixedInput.length - 4);
  return counterMode(key, fixedInput, lengthBytes);
}

/**
 * Keys of 32 bytes for one purpose, as `deriveKey` makes them: every KMS call derives two, so the
 * buffers are used again (and wiped), and what may be a text stays one, which hashes make in a
 * third of the time of a buffer.
 */
export class Derivation {
  readonly #inner: Buffer;
  readonly #outer = Buffer.alloc(blockBytes + digestBytes);
  readonly #contextAt: number;

  /** `contextBytes`: the length that all contexts have. */
  constructor(label: string, contextBytes: number) {
    assert(!label.includes("\0"), "a label ends at its zero byte");
    this.#contextAt = blockBytes + counterBytes + Buffer.byteLength(label) + 1;
    this.#inner = Buffer.alloc(this.#contextAt + contextBytes + 4);
    this.#inner.writeUInt32BE(1, blockBytes);
    this.#inner.write(label, blockBytes + counterBytes);
    this.#inner.writeUInt32BE(keyBytes * 8, this.#inner.length - 4);
  }

  key(key: Uint8Array, context: Uint8Array): Buffer {
    this.#load(key, context);
    const derived = hash("sha256", this.#outer, "buffer");
    this.#wipe();
    return derived;
  }

  /** One character a byte. For what everybody may see: a text cannot be wiped. */
  shown(key: Uint8Array, context: Uint8Array): string {
    this.#load(key, context);
    const derived = hash("sha256", this.#outer, "binary");
    this.#wipe();
    return derived;
  }

  /** FIPS 198-1, all but the last hash. The inner one tells nothing without the key. */
  #load(key: Uint8Array, context: Uint8Array): void {
    const [inner, outer] = [this.#inner, this.#outer];
    assert(key.length === keyBytes, "a key that keys are derived from has 32 bytes");
    assert(context.length === inner.length - 4 - this.#contextAt, "contexts have one length");
    inner.set(context, this.#contextAt);
    inner.fill(innerPad, keyBytes, blockBytes);
    outer.fill(outerPad, keyBytes, blockBytes);
    for (let at = 0; at < keyBytes; at += 1) {
      const byte = key[at] ?? 0;
      inner[at] = innerPad ^ byte;
      outer[at] = outerPad ^ byte;
    }
    outer.write(hash("sha256", inner, "binary"), blockBytes, "latin1");
  }

  #wipe(): void {
    this.#inner.fill(0, 0, keyBytes);
    this.#outer.fill(0, 0, keyBytes);
  }
}

/** HKDF-SHA-256 (RFC 5869), for keys whose bytes need not be uniform (a root key from outside). */
export function hkdf(
  key: Uint8Array,
  salt: Uint8Array | string,
  info: Uint8Array | string,
  lengthBytes: number = keyBytes,
): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, lengthBytes));
}
