import { systemRandom } from "../crypto/random.ts";
import type { Reach } from "../delivery/open-targets.ts";
import type { DenialLog } from "../doctor/denial-log.ts";
import { createAuthorizer } from "../gateway/authorize.ts";
import { createPipeline, type Pipeline } from "../gateway/pipeline.ts";
import { createRoom } from "../gateway/room.ts";
import type { Auditor } from "../gateway/walk.ts";
import type { Invoke } from "../kernel/invoke.ts";
import type { Log } from "../kernel/log.ts";
import type { ServiceTable } from "../kernel/operation.ts";
import type { Sealer } from "../kernel/sealer.ts";
import type { SessionTokens } from "../kernel/session.ts";
import { kmsSource, ownedSource } from "../sealing/data-key-sources.ts";
import { decideAlways } from "../sealing/decide-always.ts";
import { createSealer, type DataKeyHolder } from "../sealing/sealer.ts";
import type { CloudtrailDependencies } from "../services/cloudtrail/ports.ts";
import { createCloudtrail } from "../services/cloudtrail/service.ts";
import { requireKmsOptIn } from "../services/iam/account-limits.ts";
import { identities } from "../services/iam/identities.ts";
import { accountOfAccessKey, identityPolicies, principals } from "../services/iam/ports.ts";
import { createIam } from "../services/iam/service.ts";
import type { KmsDependencies } from "../services/kms/dependencies.ts";
import { isKeyGone } from "../services/kms/locate.ts";
import type { RequestQuotas } from "../services/kms/quotas.ts";
import { createKms } from "../services/kms/service.ts";
import { fillSignature } from "../services/sns/deliverable.ts";
import type {
  NotificationSigner,
  SnsDependencies,
  StatusLog,
  TopicTurns,
} from "../services/sns/ports.ts";
import { createSns } from "../services/sns/service.ts";
import { createSqs, type Sqs } from "../services/sqs/service.ts";
import type { AuthorizationMessages } from "../services/sts/messages.ts";
import { createProviderKeys } from "../services/sts/provider-keys.ts";
import { createSts } from "../services/sts/service.ts";
import { hearOthers } from "./arrivals.ts";
import { ensureOwnedKey } from "./bootstrap.ts";
import type { Clocks } from "./clocks.ts";
import { denialNotes } from "./doctor.ts";
import type { DueWork } from "./due-work.ts";
import { fetchJson } from "./fetch-json.ts";
import { lastUseIn } from "./key-usage.ts";
import type { Sharing } from "./sharing.ts";
import type { ServingState } from "./state.ts";
import type { Usage } from "./usage.ts";

export interface ServicesOptions extends Sharing {
  readonly state: ServingState;
  readonly clocks: Clocks;
  readonly auditor: Auditor;
  readonly signer: NotificationSigner;
  /** Way to identity providers. */
  readonly reach: Reach;
  readonly usage: Pick<Usage, "sns" | "accessKeys">;
  readonly sessions: SessionTokens;
  readonly messages: AuthorizationMessages;
  readonly publicUrl: () => string;
  readonly allowInsecureSse: boolean;
  readonly log: Log;
  readonly due: DueWork;
  readonly fifoTurns: TopicTurns;
  readonly undeliveredRetentionMs: number;
  readonly statusLog: StatusLog;
  /** undefined: requests to KMS are not counted. */
  readonly kmsQuotas: RequestQuotas | undefined;
  /** AWS, until 2024: sending to a queue needs kms:Decrypt beside GenerateDataKey. */
  readonly requireDecryptToSend: boolean;
  /** When the right to a data key that is held is decided. */
  readonly dataKeyAuthorization: "cached" | "always";
  readonly cloudtrail: Pick<CloudtrailDependencies, "buckets" | "trailWork" | "lookupRate">;
  /** Remembers what was denied. */
  readonly denials: Pick<DenialLog, "note">;
}

export interface Services {
  readonly pipeline: Pipeline;
  readonly sealer: Sealer & DataKeyHolder;
  readonly kms: KmsDependencies;
  readonly sns: SnsDependencies;
  readonly sqs: Sqs;
  readonly requireDecryptToSend: boolean;
}

/** Connects the services with each other's ports. They know only the ports. */
export async function assembleServices(options: ServicesOptions): Promise<Services> {
  const { state, log, due, peers, requireDecryptToSend } = options;
  const { service: clock, system: systemClock } = options.clocks;
  const random = systemRandom;
  // The pipeline serves the services that it is made of: they meet through this knot.
  const knot: { pipeline?: Pipeline } = {};
  const invoke: Invoke = (call, target, input) => {
    if (!knot.pipeline) throw new Error("an inner call before the pipeline was made");
    return knot.pipeline.invoke(call, target, input);
  };
  const { records, keys } = state;
  const fromKms = kmsSource(invoke);
  const ownSealer = createSealer({
    random,
    borrow: options.borrow,
    sealingThread: state.sealingThread,
    sources: {
      kms: fromKms,
      owned: ownedSource(keys, await ensureOwnedKey(records, keys, random, "sqs-owned")),
      installation: ownedSource(keys, await ensureOwnedKey(records, keys, random, "installation")),
    },
  });
  const decisions: { invoke?: Invoke } = {};
  const decide: Invoke = (call, target, input) => {
    if (!decisions.invoke) throw new Error("a decision before the pipeline was made");
    return decisions.invoke(call, target, input);
  };
  const holder = options.shareForgetting(ownSealer);
  const always = options.dataKeyAuthorization === "always";
  const sealer = always ? decideAlways(holder, fromKms, decide) : holder;
  const kms: KmsDependencies = {
    vault: keys,
    random,
    principals,
    identityPolicies,
    grantTokens: state.tokens,
    quotas: options.kmsQuotas,
    lastUse: lastUseIn(state.store, clock),
    keyWorkDue: (atMs) => due.keyWorkDue(atMs),
    keyMaterialGone: (keyArn) => sealer.forget(keyArn),
  };
  const sns: SnsDependencies = {
    sealer,
    invoke,
    signer: options.signer,
    principals,
    random,
    metrics: options.usage.sns,
    places: state.places,
    secrets: state.secrets,
    digests: state.digests,
    log,
    publicUrl: options.publicUrl,
    undeliveredRetentionMs: options.undeliveredRetentionMs,
    ask: (query) => state.store.query(query),
    retryAt: (arn, atMs) => due.deliveryDue(arn, atMs),
    statusLog: options.statusLog,
    fifoTurns: options.fifoTurns,
  };
  const sqs = createSqs({
    store: state.store,
    state: records,
    sealer,
    sealingKeys: { isGone: isKeyGone },
    fillGap: fillSignature(options.signer),
    clock,
    systemClock,
    random,
    principals,
    tokens: state.tokens,
    places: state.places,
    digests: state.digests,
    log,
    options: { requireDecryptToSend },
    moveTaskDue: (atMs) => due.moveTaskDue(atMs),
    arrivals: options.arrivals,
    queueDeleted: (arn) => peers?.tell("sqs.deleted", arn),
  });
  if (peers) hearOthers(peers, sqs);
  const tables: readonly ServiceTable[] = [
    createKms(kms),
    createIam({ random, secrets: state.secrets, accessKeyUsage: options.usage.accessKeys }),
    createSts({
      identities: { ...identities, accountOfAccessKey },
      sessions: options.sessions,
      providerKeys: createProviderKeys({
        fetchJson: (url) => fetchJson(options.reach, url),
        systemClock,
      }),
      messages: options.messages,
      systemClock,
    }),
    createSns(sns),
    sqs.table,
    createCloudtrail({
      ...options.cloudtrail,
      ask: (query) => state.store.query(query),
      invoke,
      mayInvoke(call, target, input) {
        if (!knot.pipeline) throw new Error("an inner call before the pipeline was made");
        return knot.pipeline.mayInvoke(call, target, input);
      },
    }),
  ];
  const authorizer = createAuthorizer({ identityPolicies, clock, checkAccount: requireKmsOptIn });
  const room = createRoom();
  const shared = { state: records, authorizer, clock, systemClock, random, room, log };
  const { allowInsecureSse } = options;
  const pipeline = createPipeline({
    ...shared,
    services: new Map(tables.map((table) => [table.name, table])),
    auditor: options.auditor,
    allowInsecureSse,
    refused: denialNotes(options.denials, clock),
  });
  knot.pipeline = pipeline;
  const uncounted = createKms({ ...kms, quotas: undefined });
  decisions.invoke = createPipeline({
    ...shared,
    services: new Map([[uncounted.name, uncounted]]),
    auditor: { record: async () => undefined },
    allowInsecureSse,
  }).invoke;
  return { pipeline, sealer, kms, sns, sqs, requireDecryptToSend };
}
