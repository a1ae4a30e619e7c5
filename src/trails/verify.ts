import type { RecordView } from "../kernel/records.ts";
import {
  type DeliveryRecord,
  type DigestReference,
  deliveryRecords,
  type RegionDelivery,
} from "../services/cloudtrail/deliveries.ts";
import { trailArn } from "../services/cloudtrail/names.ts";
import { type DigestKeyRecord, digestKeys } from "../services/cloudtrail/signing-keys.ts";
import { type Digest, readDigest, readSignature, textToSign } from "./digest.ts";
import { digestSignatureHolds } from "./digest-signer.ts";
import { gunzip, hasOwnGzipHead, isSealed, readHead, sha256 } from "./form.ts";
import { digestTime, isDigestOf } from "./names.ts";
import {
  type Location,
  note,
  type ObjectFailure,
  objectName,
  placeOf,
  type Reason,
  type TrailCheck,
  type VerifyDependencies,
} from "./verify-check.ts";
import { checkStrangers } from "./verify-strangers.ts";

export interface TrailReport {
  readonly trailArn: string;
  readonly digests: Count;
  readonly logFiles: Count;
  /** Log files of times without digests, or whose digest is gone: nothing can be said of them. */
  readonly notCovered: number;
  /** Batches of events that were changed or removed while they waited, by their numbers. */
  readonly damagedBatches: readonly number[];
  readonly failures: readonly ObjectFailure[];
}

interface Count {
  readonly valid: number;
  readonly invalid: number;
}

/** Checks all that was ever delivered against the digests, newest first. */
export async function verifyTrails(deps: VerifyDependencies): Promise<readonly TrailReport[]> {
  const view = deps.view();
  const deliveries = (await deliveryRecords.list(view)).map(({ value }) => value);
  const trails = deliveries.map((delivery) => newCheck(deps, delivery));
  for (const trail of trails) await checkDelivered(trail, view);
  // Trails may share a folder or a bucket: a file of one is no stranger to the other.
  const known = new Set(trails.flatMap((trail) => [...trail.seen]));
  for (const trail of trails) await checkStrangers(trail, known);
  return trails.map(reportOf);
}

function newCheck(deps: VerifyDependencies, delivery: DeliveryRecord): TrailCheck {
  const { accountId, homeRegion, name } = delivery;
  return {
    deps,
    identity: { accountId, region: homeRegion, name },
    delivery,
    seen: new Set(),
    failures: [],
    valid: { digest: 0, log: 0 },
    blind: [],
    notCovered: 0,
  };
}

function reportOf(check: TrailCheck): TrailReport {
  const invalid = (kind: ObjectFailure["kind"]) =>
    check.failures.filter((failure) => failure.kind === kind).length;
  return {
    trailArn: trailArn(check.identity),
    digests: { valid: check.valid.digest, invalid: invalid("digest") },
    logFiles: { valid: check.valid.log, invalid: invalid("log") },
    notCovered: check.notCovered,
    damagedBatches: check.delivery.damaged.map(({ number }) => number),
    failures: check.failures,
  };
}

async function checkDelivered(check: TrailCheck, view: RecordView): Promise<void> {
  for (const region of check.delivery.regions) {
    const keys = await digestKeys.list(view, region.region);
    for (const file of region.files) {
      await checkFile(check, { ...file, objectHashValue: file.objectHash });
    }
    // A digest whose writing was interrupted is neither expected nor a stranger.
    const heads = [region.previous, ...region.closed.toReversed()];
    for (const head of heads) if (head) await checkChain(check, region, head, keys);
  }
}

interface ExpectedFile extends Location {
  readonly key: string;
  readonly objectHashValue: string;
}

async function checkFile(check: TrailCheck, file: ExpectedFile): Promise<void> {
  check.seen.add(objectName(check, file, file.key));
  const bytes = await check.deps.objects.get(placeOf(check, file), file.key);
  note(check, "log", file, bytes === undefined ? "not found" : fileFault(file, bytes));
}

function fileFault(file: ExpectedFile, bytes: Buffer): Reason | undefined {
  if (sha256(bytes) === file.objectHashValue) return undefined;
  const head = readHead(bytes);
  if (head !== undefined && head.key !== file.key) {
    return "has been moved from its original location";
  }
  const readable = head !== undefined || gunzip(bytes) !== undefined;
  return readable ? "hash value doesn't match" : "invalid format";
}

interface Expected extends Location {
  readonly key: string;
  /** Undefined after a gap: nothing newer vouches for it but its signature. */
  readonly hash?: string;
  readonly signature?: string;
}

/** AWS: from the newest digest back; behind one that is bad, from the next older one. */
async function checkChain(
  check: TrailCheck,
  { region }: RegionDelivery,
  head: DigestReference,
  keys: readonly DigestKeyRecord[],
): Promise<void> {
  let expected: Expected | undefined = head;
  let newerStartMs = head.endMs;
  while (expected !== undefined && !check.seen.has(objectName(check, expected, expected.key))) {
    check.seen.add(objectName(check, expected, expected.key));
    const found: CheckedDigest = await checkDigest(check, expected, keys);
    note(check, "digest", expected, found.reason);
    if (found.digest === undefined) {
      const older: Expected | undefined = await olderDigest(check, region, expected);
      const fromMs = older === undefined ? 0 : digestTime(older.key);
      check.blind.push({ region, fromMs, toMs: newerStartMs });
      expected = older;
      continue;
    }
    const { digest } = found;
    const { remote } = expected;
    for (const { s3Bucket: bucket, s3Object: key, ...file } of digest.logFiles) {
      await checkFile(check, { remote, bucket, key, ...file });
    }
    newerStartMs = Date.parse(digest.digestStartTime);
    expected = previousOf(digest, remote);
  }
}

function previousOf(digest: Digest, remote: boolean): Expected | undefined {
  const { previousDigestS3Bucket: bucket, previousDigestS3Object: key } = digest;
  if (bucket === null || key === null) return undefined;
  return {
    remote,
    bucket,
    key,
    hash: digest.previousDigestHashValue ?? "",
    signature: digest.previousDigestSignature ?? "",
  };
}

interface CheckedDigest {
  /** Absent: it cannot be believed. */
  readonly digest?: Digest;
  readonly reason: Reason | undefined;
}

async function checkDigest(
  check: TrailCheck,
  expected: Expected,
  keys: readonly DigestKeyRecord[],
): Promise<CheckedDigest> {
  const { deps } = check;
  const bytes = await deps.objects.get(placeOf(check, expected), expected.key);
  if (bytes === undefined) return { reason: "not found" };
  const zipped = isSealed(bytes) ? await deps.sealing.openOwned(bytes) : bytes;
  const opened = zipped && gunzip(zipped);
  const digest = opened && readDigest(opened.text);
  if (!opened || !digest) return { reason: "invalid format" };
  if (digest.digestS3Bucket !== expected.bucket || digest.digestS3Object !== expected.key) {
    return { reason: "has been moved from its original location" };
  }
  const signature = readSignature(opened.comment);
  const { digestEndTime, previousDigestSignature, digestPublicKeyFingerprint } = digest;
  const { bucket, key } = expected;
  const text = textToSign(digestEndTime, bucket, key, opened.text, previousDigestSignature);
  const holds = digestSignatureHolds(keys, digestPublicKeyFingerprint, text, signature);
  if (holds === "unknown") return { reason: "public key not found" };
  if (holds === "fails") return { reason: "signature verification failed" };
  const another = expected.hash !== undefined && expected.hash !== sha256(opened.text);
  if (another || !hasOwnGzipHead(zipped)) {
    return { reason: "hash value doesn't match" };
  }
  return { digest, reason: undefined };
}

async function olderDigest(
  check: TrailCheck,
  region: string,
  { remote, bucket, key }: Expected,
): Promise<Expected | undefined> {
  const folder = key.slice(0, key.indexOf("/CloudTrail-Digest/"));
  const prefix = `${folder}/CloudTrail-Digest/${region}/`;
  const keys = await check.deps.objects.list(placeOf(check, { remote, bucket }), prefix);
  const older = keys.filter((other) => isDigestOf(other, check.identity, region) && other < key);
  const newest = older.at(-1);
  return newest === undefined ? undefined : { remote, bucket, key: newest };
}
