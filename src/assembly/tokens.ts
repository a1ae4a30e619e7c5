import { createHmac, timingSafeEqual } from "node:crypto";
import type { RingKey } from "../crypto/keyring.ts";
import type { Tokens } from "../services/sqs/service.ts";

/** 128 bits: a receipt handle is good for the life of a message. */
const macBytes = 16;

/** Authenticates what clients hold for us (receipt handles): made by the present key, any opens. */
export function createTokens(present: Buffer, ring: readonly RingKey[]): Tokens {
  const mac = (key: Uint8Array, bytes: Uint8Array) =>
    createHmac("sha256", key).update(bytes).digest().subarray(0, macBytes);
  return {
    sign: (bytes) => mac(present, bytes),
    verify: (bytes, given) =>
      given.length === macBytes && ring.some(({ key }) => timingSafeEqual(mac(key, bytes), given)),
  };
}
