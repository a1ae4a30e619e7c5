import { hash, timingSafeEqual } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import { type HashName, hashBytesOf } from "../kernel/key-specs.ts";

/*
 * EMSA-PSS (RFC 8017 §9.1) over a digest that somebody else made: OpenSSL's interface in Node
 * hashes the message itself. MGF1 has the same hash, the salt is as long as the hash.
 */
const trailer = 0xbc;
const zeros = Buffer.alloc(8);

/** The encoded message, as long as the modulus. */
export function pssEncode(
  name: HashName,
  digest: Uint8Array,
  modulusBits: number,
  salt: Uint8Array,
): Buffer {
  const length = modulusBits / 8;
  const hashed = hash(name, Buffer.concat([zeros, digest, salt]), "buffer");
  const block = Buffer.alloc(length - hashed.length - 1);
  block[block.length - salt.length - 1] = 1;
  block.set(salt, block.length - salt.length);
  mask(name, hashed, block);
  // The encoded message has one bit less than the modulus.
  block[0] = (block[0] ?? 0) & 0x7f;
  return Buffer.concat([block, hashed, Buffer.of(trailer)]);
}

export function pssHolds(
  name: HashName,
  digest: Uint8Array,
  modulusBits: number,
  encoded: Uint8Array,
): boolean {
  const hashBytes = hashBytesOf(name);
  const length = modulusBits / 8;
  assert(digest.length === hashBytes, "a digest has its hash's length");
  if (encoded.length !== length || encoded[length - 1] !== trailer) return false;
  const block = Buffer.from(encoded.subarray(0, length - hashBytes - 1));
  const hashed = encoded.subarray(length - hashBytes - 1, length - 1);
  if ((block[0] ?? 0) & 0x80) return false;
  mask(name, hashed, block);
  block[0] = (block[0] ?? 0) & 0x7f;
  const saltAt = block.length - hashBytes;
  if (block[saltAt - 1] !== 1) return false;
  if (block.subarray(0, saltAt - 1).some((byte) => byte !== 0)) return false;
  const salt = block.subarray(saltAt);
  return timingSafeEqual(hash(name, Buffer.concat([zeros, digest, salt]), "buffer"), hashed);
}

/** MGF1 (RFC 8017 §B.2.1), put over the block in place. */
function mask(name: HashName, seed: Uint8Array, block: Buffer): void {
  const counter = Buffer.alloc(4);
  for (let offset = 0, index = 0; offset < block.length; index += 1) {
    counter.writeUInt32BE(index);
    const stream = hash(name, Buffer.concat([seed, counter]), "buffer");
    for (const byte of stream) {
      if (offset === block.length) break;
      block[offset] = (block[offset] ?? 0) ^ byte;
      offset += 1;
    }
  }
}
