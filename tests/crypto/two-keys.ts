import { createCipheriv } from "node:crypto";
import { aeadSeal } from "../../src/crypto/aead.ts";

/**
 * Builds AES-GCM bytes (48: two blocks and a tag) that open under two keys, as anyone can who knows
 * both: the second block is solved so that both authentication sums agree. Dodis and others, "Fast
 * message franking", 2018, §3.
 */
export function sealUnderTwoKeys(
  keys: readonly [Buffer, Buffer],
  nonce: Buffer,
  associated: Buffer,
): Buffer {
  const ciphertext = Buffer.alloc(32, 0x5a);
  ciphertext.fill(0, 16);
  const [first, second] = keys.map((key) => {
    const hashKey = toField(encryptBlock(key, Buffer.alloc(16)));
    const mask = toField(encryptBlock(key, Buffer.concat([nonce, Buffer.from([0, 0, 0, 1])])));
    return { hashKey, sum: authentication(hashKey, associated, ciphertext) ^ mask };
  });
  if (first === undefined || second === undefined) throw new Error("two keys");
  // The free block enters each sum as x·H², since the length block follows it.
  const squares = multiply(first.hashKey, first.hashKey) ^ multiply(second.hashKey, second.hashKey);
  const solved = multiply(first.sum ^ second.sum, invert(squares));
  fromField(solved).copy(ciphertext, 16);
  // CTR is its own inverse: sealing what the first key opens it to gives it back, with the tag.
  const stream = aeadSeal(keys[0], nonce, associated, Buffer.alloc(32));
  const plaintext = ciphertext.map((byte, index) => byte ^ (stream[index] ?? 0));
  return aeadSeal(keys[0], nonce, associated, plaintext);
}

function encryptBlock(key: Buffer, block: Buffer): Buffer {
  return createCipheriv("aes-256-ecb", key, null).update(block);
}

/** GHASH of SP 800-38D §6.4 over padded associated data, ciphertext and their lengths. */
function authentication(hashKey: bigint, associated: Buffer, ciphertext: Buffer): bigint {
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64BE(BigInt(associated.length * 8), 0);
  lengths.writeBigUInt64BE(BigInt(ciphertext.length * 8), 8);
  const padding = Buffer.alloc((16 - (associated.length % 16)) % 16);
  const bytes = Buffer.concat([associated, padding, ciphertext, lengths]);
  let sum = 0n;
  for (let at = 0; at < bytes.length; at += 16) {
    sum = multiply(sum ^ toField(bytes.subarray(at, at + 16)), hashKey);
  }
  return sum;
}

/** GF(2^128) as in SP 800-38D §6.3: the first bit is the coefficient of x^0. */
function multiply(left: bigint, right: bigint): bigint {
  const reduction = 0xe1n << 120n;
  let product = 0n;
  let power = right;
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if ((left >> bit) & 1n) product ^= power;
    power = power & 1n ? (power >> 1n) ^ reduction : power >> 1n;
  }
  return product;
}

/** By Fermat: the element to the power 2^128 − 2. */
function invert(element: bigint): bigint {
  let square = element;
  let inverse = 1n << 127n;
  for (let index = 1; index < 128; index += 1) {
    square = multiply(square, square);
    inverse = multiply(inverse, square);
  }
  return inverse;
}

const toField = (block: Buffer): bigint => BigInt(`0x${block.toString("hex")}`);
const fromField = (element: bigint): Buffer =>
  Buffer.from(element.toString(16).padStart(32, "0"), "hex");
