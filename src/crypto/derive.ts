import { createHmac, hkdfSync } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import { digestBytes, keyBytes } from "./constants.ts";

/**
 * SP 800-108r1 §4.1, counter mode, HMAC-SHA-256, 32-bit counter before the fixed input. Answers
 * `lengthBytes` in a buffer of its own.
 */
export function counterMode(key: Uint8Array, fixedInput: Uint8Array, lengthBytes: number): Buffer {
  const output = Buffer.allocUnsafeSlow(lengthBytes);
  const counter = Buffer.alloc(4);
  for (let offset = 0, index = 1; offset < lengthBytes; offset += digestBytes, index += 1) {
    counter.writeUInt32BE(index);
    const block = createHmac("sha256", key).update(counter).update(fixedInput).digest();
    block.copy(output, offset);
    block.fill(0);
  }
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
  const fixedInput = Buffer.alloc(labelBytes + 1 + context.length + 4);
  fixedInput.write(label, 0);
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
