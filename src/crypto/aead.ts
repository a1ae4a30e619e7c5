import { createCipheriv, createDecipheriv } from "node:crypto";
import { giveBack } from "../kernel/memory.ts";
import { nonceBytes, tagBytes } from "./constants.ts";

export const aeadAlgorithm = "aes-256-gcm";
export const aeadOptions = { authTagLength: tagBytes } as const;

/**
 * AES-256-GCM; answers ciphertext ‖ 128-bit tag. The caller answers for the nonce: 96 bits, never
 * twice under one key (random nonces: at most 2^32 per key, SP 800-38D §8.3).
 */
export function aeadSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Buffer {
  const sealed = Buffer.allocUnsafe(plaintext.length + tagBytes);
  aeadSealInto(sealed, key, nonce, associated, plaintext);
  return sealed;
}

/** As `aeadSeal`, into the beginning of `sealed`. */
export function aeadSealInto(
  sealed: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): void {
  const cipher = createCipheriv(aeadAlgorithm, key, nonce, aeadOptions);
  cipher.setAAD(associated);
  const ciphertext = cipher.update(plaintext);
  sealed.set(ciphertext);
  giveBack(ciphertext);
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
}

/**
 * The plaintext in a buffer of its own; undefined if key, nonce, associated data or bytes differ.
 */
export function aeadOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Buffer | undefined {
  if (sealed.length < tagBytes || nonce.length !== nonceBytes) return undefined;
  const split = sealed.length - tagBytes;
  const decipher = createDecipheriv(aeadAlgorithm, key, nonce, aeadOptions);
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(split));
  const plaintext = decipher.update(sealed.subarray(0, split));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}
