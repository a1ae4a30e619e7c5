import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import type { StoredRecord } from "../kernel/records.ts";
import { digestBytes, labels } from "./constants.ts";
import type { HmacKey } from "./hmac.ts";
import { partsOf, sharedVersion } from "./shared-envelope.ts";

/** Length of a place's MAC: 128 bits, since one stands beside every message. */
export const placeMacBytes = 16;

/**
 * MAC (32 bytes) of a record under the `rows` ring key. The name goes in as one line of JSON, the
 * content after it: no two records share their bytes.
 */
export function rowMac(key: Uint8Array, record: Omit<StoredRecord, "mac">): Buffer {
  const { accountId, region, kind, id, version, content } = record;
  assert(Number.isSafeInteger(version) && version >= 0, "a record version counts from 0");
  const name = JSON.stringify([labels.row, accountId, region, kind, id, version]);
  return createHmac("sha256", key).update(`${name}\n${content}`).digest();
}

/** Whether the record is as its MAC says; constant time. */
export function rowMacHolds(key: Uint8Array, record: StoredRecord): boolean {
  return equal(rowMac(key, record), record.mac);
}

/**
 * SHA-256 of an envelope's bytes, 64 hex digits: what ties a place to its body. Of a shared one see
 * `shareDigest`; no two envelopes have the same hashed, since that begins with their version.
 */
export function envelopeDigest(envelope: Uint8Array): string {
  if (envelope[0] !== sharedVersion) return hash("sha256", envelope);
  const { own, bodyPart } = partsOf(envelope);
  return shareDigest(own, hash("sha256", bodyPart));
}

/** The digest of a shared envelope, from its own part and the SHA-256 (hex) of its body part. */
export function shareDigest(own: Uint8Array, bodyDigest: string): string {
  const bytes = Buffer.allocUnsafe(own.length + digestBytes);
  bytes.set(own);
  bytes.write(bodyDigest, own.length, "hex");
  return hash("sha256", bytes);
}

/**
 * MAC of the place where a body lies, under the `places` ring key. A move issues a new one from the
 * same `digest` (from `envelopeDigest`), so that a body that a store writer moved does not open.
 */
export function placeMac(key: HmacKey, queueId: string, messageId: string, digest: string): Buffer {
  const name = `${labels.place}\n${queueId.length}:${queueId}${messageId.length}:${messageId}\n`;
  return Buffer.from(key.hex(name, digest).slice(0, placeMacBytes * 2), "hex");
}

/** Whether a place's MAC holds; constant time. */
export function placeMacHolds(
  key: HmacKey,
  queueId: string,
  messageId: string,
  digest: string,
  mac: Uint8Array,
): boolean {
  return equal(placeMac(key, queueId, messageId, digest), mac);
}

function equal(expected: Uint8Array, given: Uint8Array): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given);
}
