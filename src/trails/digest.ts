import type { EpochMs } from "../kernel/clock.ts";
import type {
  DeliveredFile,
  DigestReference,
  RegionDelivery,
} from "../services/cloudtrail/deliveries.ts";
import { sha256 } from "./form.ts";
import { secondsTime } from "./names.ts";

/** AWS: a digest file, with its members' names. */
export interface Digest {
  readonly awsAccountId: string;
  readonly digestStartTime: string;
  readonly digestEndTime: string;
  readonly digestS3Bucket: string;
  readonly digestS3Object: string;
  readonly digestPublicKeyFingerprint: string;
  readonly digestSignatureAlgorithm: string;
  readonly newestEventTime: string | null;
  readonly oldestEventTime: string | null;
  readonly previousDigestS3Bucket: string | null;
  readonly previousDigestS3Object: string | null;
  readonly previousDigestHashValue: string | null;
  readonly previousDigestHashAlgorithm: string | null;
  readonly previousDigestSignature: string | null;
  readonly logFiles: readonly DigestEntry[];
}

export interface DigestEntry {
  readonly s3Bucket: string;
  readonly s3Object: string;
  /** Of the JSON text, hex. */
  readonly hashValue: string;
  readonly hashAlgorithm: string;
  readonly newestEventTime: string;
  readonly oldestEventTime: string;
  /**
   * DIFFERS: SHA-256 of the object as it lies there. So every byte of it counts, and a file under a
   * KMS key is verified by those who may not read it.
   */
  readonly objectHashValue: string;
}

export const signatureAlgorithm = "SHA256withRSA";

/** The text of a region's next digest. The first of a chain has no previous one. */
export function digestText(
  accountId: string,
  { startMs, previous, files }: RegionDelivery,
  own: {
    readonly bucket: string;
    readonly key: string;
    readonly endMs: EpochMs;
    readonly fingerprint: string;
  },
): string {
  const newest = files.map((file) => file.newestMs);
  const oldest = files.map((file) => file.oldestMs);
  const digest: Digest = {
    awsAccountId: accountId,
    digestStartTime: secondsTime(startMs),
    digestEndTime: secondsTime(own.endMs),
    digestS3Bucket: own.bucket,
    digestS3Object: own.key,
    digestPublicKeyFingerprint: own.fingerprint,
    digestSignatureAlgorithm: signatureAlgorithm,
    newestEventTime: files.length === 0 ? null : secondsTime(Math.max(...newest)),
    oldestEventTime: files.length === 0 ? null : secondsTime(Math.min(...oldest)),
    previousDigestS3Bucket: previous?.bucket ?? null,
    previousDigestS3Object: previous?.key ?? null,
    previousDigestHashValue: previous?.hash ?? null,
    previousDigestHashAlgorithm: previous ? "SHA-256" : null,
    previousDigestSignature: previous?.signature ?? null,
    logFiles: files.map(entryOf),
  };
  return JSON.stringify(digest);
}

function entryOf(file: DeliveredFile): DigestEntry {
  return {
    s3Bucket: file.bucket,
    s3Object: file.key,
    hashValue: file.hash,
    hashAlgorithm: "SHA-256",
    newestEventTime: secondsTime(file.newestMs),
    oldestEventTime: secondsTime(file.oldestMs),
    objectHashValue: file.objectHash,
  };
}

/** AWS: what is signed. `previousSignature` null: a starting digest. */
export function textToSign(
  endTime: string,
  bucket: string,
  key: string,
  content: Uint8Array,
  previousSignature: string | null,
): string {
  return [endTime, `${bucket}/${key}`, sha256(content), previousSignature ?? "null"].join("\n");
}

/** The signature as a gzip comment. */
export function signatureComment(signature: string): string {
  return `signature=${signature}; signature-algorithm=${signatureAlgorithm}`;
}

export function readSignature(comment: string): string {
  return /^signature=([0-9a-f]+); /.exec(comment)?.[1] ?? "";
}

/** undefined: not the text of a digest. */
export function readDigest(text: Buffer): Digest | undefined {
  try {
    const value: unknown = JSON.parse(text.toString("utf8"));
    return isDigest(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDigest(value: unknown): value is Digest {
  if (typeof value !== "object" || value === null) return false;
  const texts = [
    "digestPublicKeyFingerprint",
    "digestS3Bucket",
    "digestS3Object",
    "digestEndTime",
    "digestStartTime",
  ];
  if (!texts.every((name) => typeof Reflect.get(value, name) === "string")) return false;
  const files: unknown = Reflect.get(value, "logFiles");
  const previous: unknown = Reflect.get(value, "previousDigestSignature");
  return Array.isArray(files) && (previous === null || typeof previous === "string");
}

/** How the next digest will name this one. */
export function referenceOf(
  place: { readonly remote: boolean; readonly bucket: string },
  key: string,
  content: Uint8Array,
  signature: string,
  endMs: EpochMs,
): DigestReference {
  const { remote, bucket } = place;
  return { remote, bucket, key, hash: sha256(content), signature, endMs };
}
