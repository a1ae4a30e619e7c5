import type { RecordView } from "../../kernel/records.ts";
import { recordKind } from "../../kernel/records.ts";
import { type TrailRecord, trailId } from "./records.ts";
import type { TrailIdentity } from "./store.ts";

/** Where objects of a trail lie. */
export interface Place {
  /** In the bucket behind the S3 endpoint; else in the data folder. */
  readonly remote: boolean;
  readonly bucket: string;
}

/** How a trail's files go out: what its record says, kept for after its deletion. */
export interface Target extends Place {
  readonly prefix: string | undefined;
  readonly kmsKeyArn: string | undefined;
  readonly topicArn: string | undefined;
  /** Digests are made. */
  readonly validation: boolean;
}

/** A log file that the next digest will name. */
export interface DeliveredFile extends Place {
  readonly key: string;
  /** SHA-256 of the JSON text, hex. */
  readonly hash: string;
  /** SHA-256 of the object as it lies there, hex. */
  readonly objectHash: string;
  readonly newestMs: number;
  readonly oldestMs: number;
}

/** A delivered digest, as the next one names it. */
export interface DigestReference extends Place {
  readonly key: string;
  readonly hash: string;
  /** hex */
  readonly signature: string;
  readonly endMs: number;
}

/** A region's chain of digests. */
export interface RegionDelivery {
  readonly region: string;
  /** Where the next digest begins. */
  readonly startMs: number;
  /** A digest that is being written. */
  readonly digestEndMs?: number | undefined;
  readonly previous?: DigestReference | undefined;
  readonly files: readonly DeliveredFile[];
  /** Last digests of chains that ended. */
  readonly closed: readonly DigestReference[];
  /** Times without digests: files delivered in them are in none. */
  readonly unvalidated: readonly { readonly fromMs: number; readonly toMs?: number | undefined }[];
}

/** Files that are being written: a restart writes the same ones. */
export interface FilePlan {
  readonly atMs: number;
  readonly throughNumber: number;
  readonly throughHash: string;
  readonly files: readonly { readonly region: string; readonly key: string }[];
}

/** How far a trail's delivery is. It outlives the trail: its files are still there. */
export interface DeliveryRecord {
  readonly accountId: string;
  readonly name: string;
  readonly homeRegion: string;
  readonly target: Target;
  /** Newest delivered batch, and its hash (hex). */
  readonly throughNumber: number;
  readonly throughHash: string;
  readonly plan?: FilePlan | undefined;
  readonly regions: readonly RegionDelivery[];
  /** Batches that were missing or changed when they were to be delivered. */
  readonly damaged: readonly { readonly number: number; readonly noticedMs: number }[];
  readonly latestDeliveryMs?: number | undefined;
  readonly latestAttemptMs?: number | undefined;
  readonly latestDeliveryError?: string | undefined;
  readonly latestNotificationMs?: number | undefined;
  readonly latestNotificationAttemptMs?: number | undefined;
  readonly latestNotificationError?: string | undefined;
  readonly latestDigestMs?: number | undefined;
  readonly latestDigestError?: string | undefined;
}

export function targetOf(trail: TrailRecord): Target {
  return {
    remote: trail.remote,
    bucket: trail.bucket,
    prefix: trail.prefix,
    kmsKeyArn: trail.kmsKeyArn,
    topicArn: trail.topic?.arn,
    validation: trail.validation,
  };
}

/** The record of a trail that has delivered nothing yet. */
export function firstDelivery(trail: TrailIdentity, target: Target): DeliveryRecord {
  const { accountId, name, region } = trail;
  return {
    accountId,
    name,
    homeRegion: region,
    target,
    throughNumber: 0,
    throughHash: "00".repeat(32),
    regions: [],
    damaged: [],
  };
}

const kind = recordKind<DeliveryRecord>("cloudtrail.delivery", "global");

/**
 * In an account that nobody has: deliveries go on all the time, and a change of an account's
 * records makes what is decided under them stale.
 */
const deliveryScope = { accountId: "trails", region: "" };

export const deliveryRecords = {
  get: (view: RecordView, trail: TrailIdentity) => kind.get(view, deliveryScope, idOf(trail)),
  list: (view: RecordView) => kind.list(view, deliveryScope),
  put: (trail: TrailIdentity, record: DeliveryRecord) =>
    kind.put(deliveryScope, idOf(trail), record),
};

function idOf({ accountId, region, name }: TrailIdentity): string {
  return `${accountId}/${trailId(region, name)}`;
}
