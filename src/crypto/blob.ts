import { timingSafeEqual } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import type { KeyIdentity } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { aeadOpen, aeadSealInto } from "./aead.ts";
import { digestBytes, labels, nonceBytes, tagBytes } from "./constants.ts";
import { Derivation } from "./derive.ts";
import { stockedRandom } from "./random.ts";

/**
 * KMS ciphertext, self-describing:
 * format(1) ‖ account(6, uint48) ‖ key-id form(1) ‖ key id(16) ‖ material id(32) ‖ N(16) ‖ IV(12) ‖
 * commitment(32) ‖ ciphertext ‖ tag(16).
 *
 * Every call has a key of its own, derived from the material and N, so the bounds of AES-GCM are
 * never near. AES-GCM commits to no key: the commitment, a second key of the same derivation, does
 * and is compared before anything is opened. AAD is all that stands before the ciphertext, then the
 * canonical encryption context.
 */
const formatByte = 0xb1;
const accountAt = 1;
const keyFormAt = 7;
const keyIdAt = 8;
const materialIdAt = 24;
const saltAt = 56;
const ivAt = 72;
const commitmentAt = ivAt + nonceBytes;
const ciphertextAt = commitmentAt + digestBytes;
/** What of a blob names its key; see `blobIdentity`. */
export const blobIdentityBytes = saltAt;
/** Bytes that a blob is longer than its plaintext. */
export const blobOverheadBytes = ciphertextAt + tagBytes;
/** AWS: limit of Encrypt. */
export const blobPlaintextBytesMax = 4096;
/** AWS: limit of CiphertextBlob. */
export const blobBytesMax = 6144;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const multiRegionPattern = /^mrk-[0-9a-f]{32}$/;
const accountPattern = /^[0-9]{12}$/;
const materialIdPattern = /^[0-9a-f]{64}$/;
const uuidForm = 0;
const multiRegionForm = 1;

/** What a blob says in the clear about the key that sealed it. */
export interface BlobHeader extends KeyIdentity {
  /** 64 hex digits. */
  readonly materialId: string;
}

export interface SealBlob {
  readonly material: Uint8Array;
  /** From `blobIdentity`. */
  readonly identity: Buffer;
  /** From `canonicalContext`. */
  readonly contextBytes: Uint8Array;
  /** At most `blobPlaintextBytesMax`. */
  readonly plaintext: Uint8Array;
  /** Absent: the system's, in stock. */
  readonly random?: Random;
}

export interface OpenBlob {
  readonly material: Uint8Array;
  readonly identity: Buffer;
  readonly contextBytes: Uint8Array;
  readonly blob: Uint8Array;
}

const callKeys = new Derivation(labels.blobKey, ivAt);
const commitments = new Derivation(labels.blobCommitment, ivAt);
const stock = stockedRandom();

export function sealBlob(request: SealBlob): Buffer {
  const { material, identity, contextBytes, plaintext, random = stock } = request;
  assert(plaintext.length <= blobPlaintextBytesMax, "a blob holds at most 4096 bytes");
  const blob = Buffer.allocUnsafe(plaintext.length + blobOverheadBytes);
  blob.set(identity);
  blob.set(random.bytes(commitmentAt - saltAt), saltAt);
  const derivation = blob.subarray(0, ivAt);
  blob.write(commitments.shown(material, derivation), commitmentAt, "latin1");
  const callKey = callKeys.key(material, derivation);
  try {
    const iv = blob.subarray(ivAt, commitmentAt);
    const sealed = blob.subarray(ciphertextAt);
    aeadSealInto(sealed, callKey, iv, associate(blob, contextBytes), plaintext);
    return blob;
  } finally {
    callKey.fill(0);
  }
}

/** All that stands before the ciphertext, then the context. */
function associate(blob: Uint8Array, contextBytes: Uint8Array): Uint8Array {
  const header = blob.subarray(0, ciphertextAt);
  return contextBytes.length === 0 ? header : Buffer.concat([header, contextBytes]);
}

/** undefined: not what this material of this key sealed under this context. */
export function openBlob(request: OpenBlob): Buffer | undefined {
  const { material, identity, contextBytes, blob } = request;
  if (blob.length < blobOverheadBytes || blob.length > blobBytesMax) return undefined;
  if (identity.compare(blob, 0, saltAt) !== 0 || !commitmentHolds(material, blob)) return undefined;
  const callKey = callKeys.key(material, blob.subarray(0, ivAt));
  try {
    const iv = blob.subarray(ivAt, commitmentAt);
    return aeadOpen(callKey, iv, associate(blob, contextBytes), blob.subarray(ciphertextAt));
  } finally {
    callKey.fill(0);
  }
}

/** Whether the blob was made under this material; constant time. Says nothing of its context. */
export function commitmentHolds(material: Uint8Array, blob: Uint8Array): boolean {
  if (blob.length < blobOverheadBytes) return false;
  const commitment = Buffer.from(commitments.shown(material, blob.subarray(0, ivAt)), "latin1");
  return timingSafeEqual(commitment, blob.subarray(commitmentAt, ciphertextAt));
}

/** Reads the clear header; undefined: not a blob of this format. Nothing is authenticated yet. */
export function readBlobHeader(blob: Uint8Array): BlobHeader | undefined {
  if (blob.length < blobOverheadBytes || blob.length > blobBytesMax) return undefined;
  return readBlobIdentity(blob);
}

/** What `blobIdentity` wrote; undefined: it never wrote this. */
export function readBlobIdentity(identity: Uint8Array): BlobHeader | undefined {
  if (identity[0] !== formatByte) return undefined;
  const bytes = Buffer.from(identity.buffer, identity.byteOffset, saltAt);
  const account = bytes.readUIntBE(accountAt, keyFormAt - accountAt);
  const keyId = formatKeyId(bytes[keyFormAt], bytes.toString("hex", keyIdAt, materialIdAt));
  if (keyId === undefined || account > 999_999_999_999) return undefined;
  const accountId = String(account).padStart(12, "0");
  return { accountId, keyId, materialId: bytes.toString("hex", materialIdAt, saltAt) };
}

/** What every blob of a key's material begins with: one value for account, key and material. */
export function blobIdentity(key: BlobHeader): Buffer {
  assertKeyIdentity(key);
  assert(materialIdPattern.test(key.materialId), "a material id is 64 hex digits");
  const identity = Buffer.alloc(saltAt);
  identity[0] = formatByte;
  identity.writeUIntBE(Number(key.accountId), accountAt, keyFormAt - accountAt);
  const multiRegion = key.keyId.startsWith("mrk-");
  identity[keyFormAt] = multiRegion ? multiRegionForm : uuidForm;
  const hex = multiRegion ? key.keyId.slice(4) : key.keyId.replaceAll("-", "");
  identity.write(hex, keyIdAt, "hex");
  identity.write(key.materialId, materialIdAt, "hex");
  return identity;
}

/** Asserts a 12-digit account and a key id that a blob can carry: lower-case UUID or `mrk-…`. */
export function assertKeyIdentity(key: KeyIdentity): void {
  assert(accountPattern.test(key.accountId), "an account id is 12 digits");
  const fits = uuidPattern.test(key.keyId) || multiRegionPattern.test(key.keyId);
  assert(fits, "a key id is a lower-case UUID or mrk- and 32 hex digits");
}

function formatKeyId(form: number | undefined, hex: string): string | undefined {
  if (form === multiRegionForm) return `mrk-${hex}`;
  if (form !== uuidForm) return undefined;
  const part = (from: number, to: number) => hex.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`;
}
