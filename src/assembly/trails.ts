import { join } from "node:path";
import type { RootCredentials } from "../config.ts";
import { systemRandom } from "../crypto/random.ts";
import type { Reach } from "../delivery/open-targets.ts";
import type { Pipeline } from "../gateway/pipeline.ts";
import type { Clock, EpochMs } from "../kernel/clock.ts";
import { Fault } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { cloudtrailFor } from "../services/cloudtrail/configure.ts";
import type { Buckets } from "../services/cloudtrail/ports.ts";
import type { TrailIdentity } from "../services/cloudtrail/store.ts";
import type { TrackedView } from "../state/tracked-view.ts";
import { deliverDue } from "../trails/delivery.ts";
import { createDigestSigner } from "../trails/digest-signer.ts";
import { folderObjects } from "../trails/folder.ts";
import { type AnchoredHead, type HistoryReport, verifyHistory } from "../trails/history.ts";
import { ObjectError, type ObjectPlace, type Objects } from "../trails/objects.ts";
import { type S3, s3Objects } from "../trails/s3.ts";
import { createSealing, type ObjectSealing } from "../trails/sealing.ts";
import { type TrailReport, verifyTrails } from "../trails/verify.ts";
import { ensureOwnedKey } from "./bootstrap.ts";
import type { OpenState } from "./state.ts";

export interface StorageOptions {
  readonly dataFolder: string;
  readonly trailEndpoint: string | undefined;
  readonly trailCredentials: RootCredentials | undefined;
  readonly reach: Reach;
  /** System time. */
  readonly now: () => EpochMs;
}

/** Where files of trails lie. */
export interface TrailStorage {
  readonly objects: Objects;
  readonly buckets: Buckets;
}

const bucketAnswerMsMax = 30_000;

export function openTrailStorage(options: StorageOptions): TrailStorage {
  const { trailEndpoint: endpoint, trailCredentials: credentials, reach, now } = options;
  const folder = folderObjects(join(options.dataFolder, "trails"));
  const s3 =
    endpoint === undefined || credentials === undefined
      ? undefined
      : s3Objects({ endpoint, credentials, reach, now, answerMsMax: bucketAnswerMsMax });
  const at = ({ remote }: ObjectPlace): Objects => (remote ? required(s3) : folder);
  return {
    objects: {
      put: (place, key, object) => at(place).put(place, key, object),
      get: (place, key) => at(place).get(place, key),
      list: (place, prefix) => at(place).list(place, prefix),
    },
    buckets: {
      remote: s3 !== undefined,
      find: (bucket, region) => required(s3).find(bucket, region).catch(unreachable),
    },
  };
}

/** An endpoint that is away, or where the server must not go, is no bug of a request. */
function unreachable(error: unknown): never {
  if (!(error instanceof ObjectError)) throw error;
  throw new Fault("bucket-unreachable", error.message, { cause: error });
}

function required(s3: S3 | undefined): S3 {
  if (s3) return s3;
  throw new ObjectError(
    "NoEndpoint",
    "the trail's bucket is behind no S3 endpoint: --trail-endpoint",
  );
}

export interface VerifyReport {
  readonly valid: boolean;
  readonly history: readonly HistoryReport[];
  readonly trails: readonly TrailReport[];
}

/** Checks the event history and all that trails delivered. Nothing may be delivered meanwhile. */
export async function verifyAudit(
  state: Pick<OpenState, "store" | "records" | "chainKeys">,
  objects: Objects,
  sealing: Pick<ObjectSealing, "openOwned">,
  anchors: readonly AnchoredHead[],
): Promise<VerifyReport> {
  const { store, records, chainKeys } = state;
  const history = await verifyHistory({ ask: (query) => store.query(query), chainKeys }, anchors);
  const trails = await verifyTrails({ view: () => records.view(), objects, sealing });
  const valid =
    history.every(({ failures }) => failures.length === 0) &&
    trails.every((trail) => trail.failures.length === 0 && trail.damagedBatches.length === 0);
  return { valid, history, trails };
}

export interface TrailsOptions {
  readonly state: OpenState;
  readonly storage: TrailStorage;
  readonly pipeline: Pick<Pipeline, "invoke" | "runAs">;
  /** Service clock. */
  readonly clock: Clock;
  readonly plainTrails: boolean;
  readonly log: Log;
}

/** Delivery and verification of trails. */
export interface Trails {
  readonly sealing: ObjectSealing;
  deliver(): Promise<EpochMs | undefined>;
  verify(anchors: readonly AnchoredHead[]): Promise<VerifyReport>;
}

export async function assembleTrails(options: TrailsOptions): Promise<Trails> {
  const { state, storage, pipeline, clock, log } = options;
  const { records, keys, secrets, store, chainKeys } = state;
  const { objects } = storage;
  const sealing = createSealing({
    vault: keys,
    owned: await ensureOwnedKey(records, keys, systemRandom, "trails"),
    invoke: pipeline.invoke,
    runAs: pipeline.runAs,
    random: systemRandom,
    plain: options.plainTrails,
  });
  const delivery = {
    records,
    ask: store.query.bind(store),
    clock,
    random: systemRandom,
    chainKeys,
    objects,
    sealing,
    signer: createDigestSigner<TrackedView>({ records, secrets, clock }),
    notify: notifier(pipeline),
    log,
  };
  return {
    sealing,
    deliver: () => deliverDue<TrackedView>(delivery),
    verify: (anchors) => verifyAudit(state, objects, sealing, anchors),
  };
}

/** AWS: CloudTrail publishes as itself, for the trail. */
function notifier({ invoke, runAs }: Pick<Pipeline, "invoke" | "runAs">) {
  return async (trail: TrailIdentity, topicArn: string, message: string): Promise<void> => {
    const as = cloudtrailFor(trail);
    if (as.kind !== "service") throw new Error("CloudTrail publishes as itself");
    const { kind, service, sourceArn, sourceAccountId } = as;
    const session = {
      caller: { kind, service, sourceArn, sourceAccountId },
      service: "cloudtrail",
      operation: "NotifyDelivery",
      region: trail.region,
    };
    const region = topicArn.split(":")[3] ?? trail.region;
    const target = { service: "sns", operation: "Publish", region, as };
    await runAs(session, (call) => invoke(call, target, { TopicArn: topicArn, Message: message }));
  };
}
