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

/** HKDF-SHA-256 (RFC 5869), for keys whose bytes need not be uniform (a root key from outside). */
export function hkdf(
  key: Uint8Array,
  salt: Uint8Array | string,
  info: Uint8Array | string,
  lengthBytes: number = keyBytes,
): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, lengthBytes));
}
