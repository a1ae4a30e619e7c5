import { createHmac, timingSafeEqual } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSeal } from "./aead.ts";
import { digestBytes, keyBytes, labels, nonceBytes, tagBytes } from "./constants.ts";
import { hkdf } from "./derive.ts";

/** What a ring key is for, with its number in the sealed ring. Numbers are never used again. */
const purposeNumbers = { material: 1, secrets: 2, rows: 3, places: 4, tokens: 5 } as const;
export type RingPurpose = keyof typeof purposeNumbers;
const purposes = Object.keys(purposeNumbers) as RingPurpose[];

/** A key that wraps keys or authenticates rows. Several versions of a purpose may be alive. */
export interface RingKey {
  readonly purpose: RingPurpose;
  /** Counts from 1; the highest of a purpose is the present one. */
  readonly version: number;
  /** 32 bytes. */
  readonly key: Buffer;
}

export type OpenedRing =
  | { readonly status: "opened"; readonly ring: readonly RingKey[] }
  /** Sealed by another root key. */
  | { readonly status: "wrong-root-key" }
  /** This root key sealed a ring like this, but its bytes were changed. */
  | { readonly status: "damaged" };

/** First version of every purpose. */
export function createRing(random: Random): RingKey[] {
  return purposes.map((purpose) => ({ purpose, version: 1, key: random.bytes(keyBytes) }));
}

/** The ring with one more version of a purpose: older versions still open what they sealed. */
export function rotateRingKey(
  ring: readonly RingKey[],
  purpose: RingPurpose,
  random: Random,
): RingKey[] {
  const version = presentRingKey(ring, purpose).version + 1;
  return [...ring, { purpose, version, key: random.bytes(keyBytes) }];
}

/** The version that seals now. */
export function presentRingKey(ring: readonly RingKey[], purpose: RingPurpose): RingKey {
  let present: RingKey | undefined;
  for (const key of ring) {
    if (key.purpose === purpose && key.version > (present?.version ?? 0)) present = key;
  }
  assert(present !== undefined, `the key ring holds a key for ${purpose}`);
  return present;
}

/*
 * Sealed ring: magic(4) ‖ format(1) ‖ root-key check(32) ‖ count(2) ‖ entries ‖ MAC(32). Entry:
 * purpose(1) ‖ ring version(4) ‖ nonce(12) ‖ sealed key(48). The MAC covers the whole, so that no
 * entry can be left out; the check tells a wrong root key from a damaged ring.
 */
const magic = "SPKR";
const format = 1;
const checkAt = 5;
const countAt = checkAt + digestBytes;
const entriesAt = countAt + 2;
const nonceAt = 5;
const sealedKeyAt = nonceAt + nonceBytes;
const entryBytes = sealedKeyAt + keyBytes + tagBytes;

/** Seals the ring under a root key. Rotating the root key is opening it and sealing it anew. */
export function sealRing(rootKey: Uint8Array, ring: readonly RingKey[], random: Random): Buffer {
  const wrap = subkey(rootKey, labels.rootWrap);
  const head = Buffer.alloc(entriesAt);
  head.write(magic, 0, "latin1");
  head[4] = format;
  subkey(rootKey, labels.rootCheck).copy(head, checkAt);
  head.writeUInt16BE(ring.length, countAt);
  const entries = ring.map((key) => sealEntry(wrap, key, random));
  wrap.fill(0);
  const covered = Buffer.concat([head, ...entries]);
  return Buffer.concat([covered, ringMac(rootKey, covered)]);
}

export function openRing(rootKey: Uint8Array, sealed: Uint8Array): OpenedRing {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  if (bytes.length < entriesAt + digestBytes) return { status: "damaged" };
  if (bytes.toString("latin1", 0, 4) !== magic || bytes[4] !== format) return { status: "damaged" };
  const check = subkey(rootKey, labels.rootCheck);
  if (!timingSafeEqual(check, bytes.subarray(checkAt, countAt))) {
    return { status: "wrong-root-key" };
  }
  const covered = bytes.subarray(0, bytes.length - digestBytes);
  if (!timingSafeEqual(ringMac(rootKey, covered), bytes.subarray(covered.length))) {
    return { status: "damaged" };
  }
  if (covered.length !== entriesAt + bytes.readUInt16BE(countAt) * entryBytes) {
    return { status: "damaged" };
  }
  const ring = openEntries(rootKey, covered);
  return ring === undefined ? { status: "damaged" } : { status: "opened", ring };
}

/** 16 hex digits that name a root key to people and logs and reveal nothing of it. */
export function rootKeyFingerprint(rootKey: Uint8Array): string {
  return hkdf(rootKey, "", labels.rootFingerprint, 8).toString("hex");
}

function sealEntry(wrap: Buffer, key: RingKey, random: Random): Buffer {
  const head = Buffer.alloc(sealedKeyAt);
  head[0] = purposeNumbers[key.purpose];
  head.writeUInt32BE(key.version, 1);
  random.bytes(nonceBytes).copy(head, nonceAt);
  return Buffer.concat([head, aeadSeal(wrap, head.subarray(nonceAt), associate(head), key.key)]);
}

function openEntries(rootKey: Uint8Array, covered: Buffer): RingKey[] | undefined {
  const wrap = subkey(rootKey, labels.rootWrap);
  const ring: RingKey[] = [];
  try {
    for (let at = entriesAt; at < covered.length; at += entryBytes) {
      const key = openEntry(wrap, covered.subarray(at, at + entryBytes));
      if (key === undefined) return undefined;
      ring.push(key);
    }
    return ring;
  } finally {
    wrap.fill(0);
  }
}

function openEntry(wrap: Buffer, entry: Buffer): RingKey | undefined {
  const purpose = purposes.find((name) => purposeNumbers[name] === entry[0]);
  const nonce = entry.subarray(nonceAt, sealedKeyAt);
  const key = aeadOpen(wrap, nonce, associate(entry), entry.subarray(sealedKeyAt));
  if (purpose === undefined || key === undefined) return undefined;
  return { purpose, version: entry.readUInt32BE(1), key };
}

/** Purpose and ring version stand in the first five bytes of an entry. */
function associate(entry: Buffer): Buffer {
  return Buffer.concat([Buffer.from(labels.ringEntry), entry.subarray(0, nonceAt)]);
}

function ringMac(rootKey: Uint8Array, covered: Uint8Array): Buffer {
  const key = subkey(rootKey, labels.rootMac);
  const mac = createHmac("sha256", key).update(covered).digest();
  key.fill(0);
  return mac;
}

function subkey(rootKey: Uint8Array, label: string): Buffer {
  assert(rootKey.length === keyBytes, "a root key is 32 bytes");
  return hkdf(rootKey, "", label);
}
