import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import { giveBack } from "../kernel/memory.ts";
import type { Random } from "../kernel/random.ts";
import type { Sealed } from "../kernel/sealed.ts";
import { aeadAlgorithm, aeadOptions } from "./aead.ts";
import { nonceBytes, tagBytes } from "./constants.ts";

/**
 * Envelope of a body: version(1) ‖ seal id(16) ‖ nonce(12) ‖ ciphertext ‖ tag(16);
 * AAD = version ‖ sealing ARN ‖ seal id ‖ data-key id. Only the ARN varies in length, so no two
 * such tuples share their bytes.
 *
 * INVARIANT: this file alone makes `Sealed` (tests/crypto/sealed-origin.test.ts).
 */
const version = 1;
const sealIdAt = 1;
const sealIdBytes = 16;
const nonceAt = sealIdAt + sealIdBytes;
const ciphertextAt = nonceAt + nonceBytes;
const dataKeyIdChars = 32;
const arnCharsMax = 1024;

/** Bytes that an envelope is longer than its body. */
export const envelopeOverheadBytes = ciphertextAt + tagBytes;
/** What lies before the body in the room of its envelope, and after it: see `sealInRoom`. */
export const roomBefore = ciphertextAt;
export const roomAfter = tagBytes;

/**
 * Associated data of the call at hand; public bytes, and no call is interrupted by another. Calls
 * in a row are mostly about one place and data key: then only the seal id is written anew.
 */
const associated = Buffer.alloc(1 + arnCharsMax * 3 + sealIdBytes + dataKeyIdChars);
associated[0] = version;
const latest = { sealingArn: "", dataKeyId: "", sealIdAt: 0, data: associated.subarray(0, 0) };

/**
 * Seals a body under a data key (32 bytes). The caller retires a data key long before 2^32 bodies.
 * `bytes` may lie in Node's shared pool: pack it, or copy it, before it goes to another thread.
 */
export function sealBody(
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
  body: Uint8Array,
  random?: Random,
): Sealed {
  const bytes = Buffer.allocUnsafe(body.length + envelopeOverheadBytes);
  return seal(bytes, body, dataKey, dataKeyId, sealingArn, random);
}

/**
 * As `sealBody`, where the body lies already: `room` is as long as the envelope, with the body at
 * `roomBefore`, and becomes it. Nothing is left of the plaintext.
 */
export function sealInRoom(
  room: Uint8Array,
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
): Sealed {
  const body = room.subarray(roomBefore, room.length - roomAfter);
  return seal(room, body, dataKey, dataKeyId, sealingArn);
}

function seal(
  bytes: Uint8Array,
  body: Uint8Array,
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
  random?: Random,
): Sealed {
  bytes[0] = version;
  fillRandom(bytes, random);
  const nonce = bytes.subarray(nonceAt, ciphertextAt);
  const cipher = createCipheriv(aeadAlgorithm, dataKey, nonce, aeadOptions);
  cipher.setAAD(associate(dataKeyId, sealingArn, bytes));
  const ciphertext = cipher.update(body);
  bytes.set(ciphertext, ciphertextAt);
  giveBack(ciphertext);
  cipher.final();
  bytes.set(cipher.getAuthTag(), bytes.length - tagBytes);
  return { dataKeyId, bytes } as unknown as Sealed;
}

/**
 * The body in a buffer of its own; undefined if it was not sealed under this data key, data-key id
 * and sealing ARN, or was changed since.
 */
export function openBody(
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
  bytes: Uint8Array,
): Buffer | undefined {
  if (bytes.length < envelopeOverheadBytes || bytes[0] !== version) return undefined;
  const split = bytes.length - tagBytes;
  const nonce = bytes.subarray(nonceAt, ciphertextAt);
  const decipher = createDecipheriv(aeadAlgorithm, dataKey, nonce, aeadOptions);
  decipher.setAAD(associate(dataKeyId, sealingArn, bytes));
  decipher.setAuthTag(bytes.subarray(split));
  const body = decipher.update(bytes.subarray(ciphertextAt, split));
  try {
    decipher.final();
  } catch {
    body.fill(0);
    return undefined;
  }
  return body;
}

function associate(dataKeyId: string, sealingArn: string, envelope: Uint8Array): Uint8Array {
  if (latest.dataKeyId !== dataKeyId || latest.sealingArn !== sealingArn) {
    assert(dataKeyId.length === dataKeyIdChars, "a data-key id is 32 hex digits");
    assert(sealingArn.length <= arnCharsMax, "a sealing ARN is at most 1024 characters");
    const arnEnd = 1 + associated.write(sealingArn, 1);
    const keyIdAt = arnEnd + sealIdBytes;
    const end = keyIdAt + associated.write(dataKeyId, keyIdAt, "latin1");
    Object.assign(latest, { sealingArn, dataKeyId, sealIdAt: arnEnd });
    latest.data = associated.subarray(0, end);
  }
  for (let index = 0; index < sealIdBytes; index++) {
    associated[latest.sealIdAt + index] = envelope[sealIdAt + index] ?? 0;
  }
  return latest.data;
}

/**
 * One system call fills many envelopes: seal ids and nonces must be unique, they are not secret.
 */
const stock = Buffer.alloc((sealIdBytes + nonceBytes) * 128);
let stockUsed = stock.length;

function fillRandom(bytes: Uint8Array, random: Random | undefined): void {
  const length = sealIdBytes + nonceBytes;
  if (random !== undefined) {
    bytes.set(random.bytes(length), sealIdAt);
    return;
  }
  if (stockUsed === stock.length) {
    randomFillSync(stock);
    stockUsed = 0;
  }
  stock.copy(bytes, sealIdAt, stockUsed, stockUsed + length);
  stockUsed += length;
}
