import { hash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { aeadOpen, aeadSeal } from "../crypto/aead.ts";
import { nonceBytes } from "../crypto/constants.ts";

/**
 * Bytes of a trail's objects. Inside: gzip, as AWS's. Around it, unless trails are plain: "SPTF" ‖
 * version(1) ‖ length(4) ‖ head as JSON ‖ ciphertext ‖ tag(16), AES-256-GCM under a data key of its
 * own, everything before the ciphertext authenticated.
 */
const magic = Buffer.from("SPTF");
const version = 1;
const lengthAt = 5;
const headAt = 9;
const headBytesMax = 64 * 1024;
/** A delivered file has at most 50 MB; a bomb must not fill the memory. */
const plainBytesMax = 256 * 1024 * 1024;

/** What a sealed object says of itself in the clear; authenticated by its tag. */
export interface SealedHead {
  /** `owned`: under a key of the installation; `kms`: under the trail's KMS key. */
  readonly mode: "owned" | "kms";
  readonly keyArn: string;
  readonly trailArn: string;
  readonly bucket: string;
  readonly key: string;
  /** The data key, sealed by the key; base64. */
  readonly dataKey: string;
  /** base64 */
  readonly nonce: string;
}

export function isSealed(bytes: Uint8Array): boolean {
  return bytes.length > headAt && magic.equals(bytes.subarray(0, magic.length));
}

/** `dataKey` is for this object alone; the caller wipes it. */
export function sealObject(
  plain: Uint8Array,
  dataKey: Uint8Array,
  nonce: Uint8Array,
  head: Omit<SealedHead, "nonce">,
): Buffer {
  const text = JSON.stringify({ ...head, nonce: Buffer.from(nonce).toString("base64") });
  const before = Buffer.alloc(headAt + Buffer.byteLength(text));
  magic.copy(before);
  before[magic.length] = version;
  before.writeUInt32BE(Buffer.byteLength(text), lengthAt);
  before.write(text, headAt);
  return Buffer.concat([before, aeadSeal(dataKey, nonce, before, plain)]);
}

/** The head of a sealed object; undefined if it has none that can be read. */
export function readHead(bytes: Buffer): SealedHead | undefined {
  if (!isSealed(bytes) || bytes[magic.length] !== version) return undefined;
  const length = bytes.readUInt32BE(lengthAt);
  if (length > headBytesMax || headAt + length > bytes.length) return undefined;
  try {
    return parseHead(JSON.parse(bytes.toString("utf8", headAt, headAt + length)));
  } catch {
    return undefined;
  }
}

/** A head that came as JSON. */
export function parseHead(value: unknown): SealedHead | undefined {
  return isHead(value) ? value : undefined;
}

function isHead(value: unknown): value is SealedHead {
  if (typeof value !== "object" || value === null) return false;
  const names = ["mode", "keyArn", "trailArn", "bucket", "key", "dataKey", "nonce"];
  return names.every((name) => typeof Reflect.get(value, name) === "string");
}

/** undefined: not sealed by this data key, or changed. */
export function openObject(
  bytes: Buffer,
  head: SealedHead,
  dataKey: Uint8Array,
): Buffer | undefined {
  const end = headAt + bytes.readUInt32BE(lengthAt);
  const nonce = Buffer.from(head.nonce, "base64");
  if (nonce.length !== nonceBytes) return undefined;
  return aeadOpen(dataKey, nonce, bytes.subarray(0, end), bytes.subarray(end));
}

/**
 * gzip with a comment in its header (RFC 1952): that of a digest is its signature, so that a digest
 * is one file also where objects have no metadata. Readers of gzip pass over it.
 */
export function gzip(text: Uint8Array, comment?: string): Buffer {
  const plain = gzipSync(text);
  if (comment === undefined) return plain;
  const head = Buffer.from(plain.subarray(0, gzipHeadBytes));
  head[flagsAt] = commentFlag;
  const note = Buffer.from(`${comment}\0`, "latin1");
  return Buffer.concat([head, note, plain.subarray(gzipHeadBytes)]);
}

const gzipHeadBytes = 10;
const flagsAt = 3;
const commentFlag = 0x10;

/** Whether the fixed part of the head is as `gzip` writes it: no hash covers that of a digest. */
export function hasOwnGzipHead(bytes: Uint8Array): boolean {
  const own = gzip(new Uint8Array(), "").subarray(0, gzipHeadBytes);
  return own.equals(bytes.subarray(0, gzipHeadBytes));
}

/** undefined: not gzip, or damaged. */
export function gunzip(bytes: Buffer): { text: Buffer; comment: string } | undefined {
  try {
    const text = gunzipSync(bytes, { maxOutputLength: plainBytesMax });
    if (bytes[flagsAt] !== commentFlag) return { text, comment: "" };
    const end = bytes.indexOf(0, gzipHeadBytes);
    return { text, comment: bytes.toString("latin1", gzipHeadBytes, end) };
  } catch {
    return undefined;
  }
}

export function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}
