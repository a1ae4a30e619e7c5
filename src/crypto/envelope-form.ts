import { assert } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSealInto } from "./aead.ts";
import { nonceBytes, tagBytes } from "./constants.ts";
import { fillUnique } from "./unique.ts";

/**
 * What is sealed under a data key: version(1) ‖ seal id(16) ‖ nonce(12) ‖ ciphertext ‖ tag(16);
 * AAD = version ‖ sealing ARN ‖ seal id ‖ data-key id. Only the ARN varies in length, so no two
 * such tuples share their bytes, and what one version sealed does not open as another.
 */
const sealIdAt = 1;
const sealIdBytes = 16;
const nonceAt = sealIdAt + sealIdBytes;
const ciphertextAt = nonceAt + nonceBytes;
const dataKeyIdChars = 32;
const arnCharsMax = 1024;

/** What lies before the plaintext in the room of its sealed form, and after it. */
export const roomBefore = ciphertextAt;
export const roomAfter = tagBytes;

/** A data key in the clear, with what is authenticated of it. */
export interface SealingKey {
  /** 32 bytes. */
  readonly dataKey: Uint8Array;
  readonly dataKeyId: string;
  readonly sealingArn: string;
}

/**
 * Associated data of the call at hand; public bytes, and no call is interrupted by another. Calls
 * in a row are mostly about one place and data key: then only the seal id is written anew.
 */
const associated = Buffer.alloc(1 + arnCharsMax * 3 + sealIdBytes + dataKeyIdChars);
const latest = { sealingArn: "", dataKeyId: "", sealIdAt: 0, data: associated.subarray(0, 0) };

/**
 * Seals into `bytes`, which are as long as the plaintext with its room; the plaintext may lie
 * there already. The caller retires a data key long before 2^32 uses.
 */
export function sealInto(
  bytes: Uint8Array,
  version: number,
  { dataKey, dataKeyId, sealingArn }: SealingKey,
  plaintext: Uint8Array,
  random?: Random,
): void {
  bytes[0] = version;
  const unique = sealIdBytes + nonceBytes;
  if (random) bytes.set(random.bytes(unique), sealIdAt);
  else fillUnique(bytes, sealIdAt, unique);
  const nonce = bytes.subarray(nonceAt, ciphertextAt);
  const aad = associate(dataKeyId, sealingArn, bytes);
  aeadSealInto(bytes.subarray(ciphertextAt), dataKey, nonce, aad, plaintext);
}

/**
 * The plaintext in a buffer of its own; undefined if it was not sealed under this data key,
 * data-key id and sealing ARN, as this version, or was changed since.
 */
export function openFrom(
  bytes: Uint8Array,
  version: number,
  { dataKey, dataKeyId, sealingArn }: SealingKey,
): Buffer | undefined {
  if (bytes.length < roomBefore + roomAfter || bytes[0] !== version) return undefined;
  const nonce = bytes.subarray(nonceAt, ciphertextAt);
  const aad = associate(dataKeyId, sealingArn, bytes);
  return aeadOpen(dataKey, nonce, aad, bytes.subarray(ciphertextAt));
}

function associate(dataKeyId: string, sealingArn: string, sealed: Uint8Array): Uint8Array {
  if (latest.dataKeyId !== dataKeyId || latest.sealingArn !== sealingArn) {
    assert(dataKeyId.length === dataKeyIdChars, "a data-key id is 32 hex digits");
    assert(sealingArn.length <= arnCharsMax, "a sealing ARN is at most 1024 characters");
    const arnEnd = 1 + associated.write(sealingArn, 1);
    const keyIdAt = arnEnd + sealIdBytes;
    const end = keyIdAt + associated.write(dataKeyId, keyIdAt, "latin1");
    Object.assign(latest, { sealingArn, dataKeyId, sealIdAt: arnEnd });
    latest.data = associated.subarray(0, end);
  }
  associated[0] = sealed[0] ?? 0;
  for (let index = 0; index < sealIdBytes; index++) {
    associated[latest.sealIdAt + index] = sealed[sealIdAt + index] ?? 0;
  }
  return latest.data;
}
