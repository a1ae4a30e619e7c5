import type { ChainKey } from "../crypto/chain.ts";
import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Command, Query, ResultOf } from "../kernel/command.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { RecordView } from "../kernel/records.ts";
import type { DeliveryRecord, Target } from "../services/cloudtrail/deliveries.ts";
import type { TrailIdentity } from "../services/cloudtrail/store.ts";
import type { DigestSigner, TrailRecords } from "./digest-signer.ts";
import type { Objects } from "./objects.ts";
import type { ObjectSealing } from "./sealing.ts";

export interface DeliveryDependencies<View extends RecordView> {
  readonly records: TrailRecords<View>;
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
  /** Service clock. */
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
  readonly chainKeys: readonly ChainKey[];
  readonly objects: Objects;
  readonly sealing: ObjectSealing;
  readonly signer: DigestSigner;
  /** Publishes to a trail's topic. Throws the refusal. */
  readonly notify: (trail: TrailIdentity, topicArn: string, message: string) => Promise<void>;
  readonly log: Log;
}

/** AWS: files go out about every five minutes, digests every hour. */
export const filePeriodMs = 300_000;
export const digestPeriodMs = 3_600_000;

/** One trail at the moment of a step. */
export interface TrailNow {
  readonly identity: TrailIdentity;
  readonly nowMs: EpochMs;
  /** False once it is stopped or deleted: what is left goes out at once. */
  readonly logging: boolean;
  readonly target: Target;
  readonly delivery: DeliveryRecord;
  /** Service time of the oldest event that waits. */
  readonly waitingSinceMs: EpochMs | undefined;
}

/** What a step did: changed the record (and more), or found that nothing is due before a time. */
export type Step =
  | { readonly delivery: DeliveryRecord; readonly commands: readonly Command[] }
  | { readonly nextMs: EpochMs | undefined };
