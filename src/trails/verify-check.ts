import type { RecordView } from "../kernel/records.ts";
import type { DeliveryRecord } from "../services/cloudtrail/deliveries.ts";
import type { TrailIdentity } from "../services/cloudtrail/store.ts";
import type { ObjectPlace, Objects } from "./objects.ts";
import type { ObjectSealing } from "./sealing.ts";

export interface VerifyDependencies {
  readonly view: () => RecordView;
  readonly objects: Objects;
  readonly sealing: Pick<ObjectSealing, "openOwned">;
}

export interface ObjectFailure {
  readonly kind: "digest" | "log";
  readonly bucket: string;
  readonly key: string;
  readonly reason: Reason;
}

/** AWS: the words of `aws cloudtrail validate-logs`; the last is ours. */
export type Reason =
  | "not found"
  | "invalid format"
  | "has been moved from its original location"
  | "hash value doesn't match"
  | "signature verification failed"
  | "public key not found"
  | "was not delivered by the trail";

/** What is known of one trail while it is checked. */
export interface TrailCheck {
  readonly deps: VerifyDependencies;
  readonly identity: TrailIdentity;
  readonly delivery: DeliveryRecord;
  /** Names of objects that were looked at. */
  readonly seen: Set<string>;
  readonly failures: ObjectFailure[];
  readonly valid: { digest: number; log: number };
  /** Times whose digest is missing or invalid, by region. */
  readonly blind: { region: string; fromMs: number; toMs: number }[];
  notCovered: number;
}

export interface Location {
  readonly remote: boolean;
  readonly bucket: string;
}

export function placeOf({ identity }: TrailCheck, { remote, bucket }: Location): ObjectPlace {
  return { remote, bucket, trailName: identity.name, region: identity.region };
}

/** Objects in the data folder are told apart by their trail, those in buckets by the bucket. */
export function objectName(check: TrailCheck, { remote, bucket }: Location, key: string): string {
  return remote ? `s3://${bucket}/${key}` : `${check.identity.name}/${key}`;
}

export function note(
  check: TrailCheck,
  kind: ObjectFailure["kind"],
  at: Location & { readonly key: string },
  reason: Reason | undefined,
): void {
  if (reason === undefined) check.valid[kind] += 1;
  else check.failures.push({ kind, bucket: at.bucket, key: at.key, reason });
}
