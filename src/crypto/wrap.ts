import { hash } from "node:crypto";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { keyBytes, labels, nonceBytes } from "./constants.ts";
import { hkdf } from "./derive.ts";

/**
 * Wrapping of one key for the holder of a private key by X-Wing (X25519 with ML-KEM-768,
 * draft-connolly-cfrg-xwing-kem): what is wrapped today stays shut if either of the two breaks.
 * The private key is a seed of 32 bytes, so whatever can hold a root key can hold it.
 */
export const seedBytes = 32;
export const publicKeyBytes = 1216;
export const encapsulationBytes = 1120;
const encapsulationSeedBytes = 64;

/** Only where it is needed: the libraries take their time to load. */
async function xWing() {
  return (await import("@noble/post-quantum/hybrid.js")).ml_kem768_x25519;
}

export async function publicKeyOf(seed: Uint8Array): Promise<Buffer> {
  const { publicKey, secretKey } = (await xWing()).keygen(seed);
  secretKey.fill(0);
  return Buffer.from(publicKey);
}

/** 16 hex digits that name a public key to people. */
export function publicKeyFingerprint(publicKey: Uint8Array): string {
  return hash("sha256", publicKey).slice(0, 16);
}

/** A key as it was wrapped for one holder. */
export interface WrappedKey {
  readonly encapsulation: Buffer;
  readonly wrapped: Buffer;
}

/** `about` is bound in: what was wrapped for one purpose opens for no other. */
export async function wrapKey(
  publicKey: Uint8Array,
  key: Uint8Array,
  about: Uint8Array,
  random: Random,
): Promise<WrappedKey> {
  const coins = random.bytes(encapsulationSeedBytes);
  const { cipherText, sharedSecret } = (await xWing()).encapsulate(publicKey, coins);
  coins.fill(0);
  const wrapping = wrappingKey(sharedSecret, cipherText, about);
  // A fresh key for one text: the nonce may be zero.
  const wrapped = aeadSeal(wrapping, Buffer.alloc(nonceBytes), about, key);
  wrapping.fill(0);
  return { encapsulation: Buffer.from(cipherText), wrapped };
}

/** undefined: it was wrapped for somebody else, for something else, or changed. */
export async function unwrapKey(
  seed: Uint8Array,
  { encapsulation, wrapped }: WrappedKey,
  about: Uint8Array,
): Promise<Buffer | undefined> {
  if (encapsulation.length !== encapsulationBytes) return undefined;
  const sharedSecret = (await xWing()).decapsulate(encapsulation, seed);
  const wrapping = wrappingKey(sharedSecret, encapsulation, about);
  const key = aeadOpen(wrapping, Buffer.alloc(nonceBytes), about, wrapped);
  wrapping.fill(0);
  return key;
}

function wrappingKey(secret: Uint8Array, encapsulation: Uint8Array, about: Uint8Array): Buffer {
  const info = Buffer.concat([Buffer.from(labels.backupWrap), about]);
  const key = hkdf(secret, hash("sha256", encapsulation, "buffer"), info, keyBytes);
  secret.fill(0);
  return key;
}
