import { formatArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { RecordScope, RecordView } from "../../kernel/records.ts";
import type { Encryption, OpeningPlace, SealingPlace } from "../../kernel/sealer.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { reusePeriodSecondsPreset } from "./attributes.ts";
import { parseQueueUrl } from "./queue-url.ts";
import { type QueueRecord, queueRecords } from "./records.ts";
import { parseRedrive, type Redrive } from "./redrive.ts";
import { missingParameter, queueDoesNotExist } from "./refusals.ts";
import type { QueueIdentity } from "./store.ts";

/** A queue as operations use it: its record, and what follows from it, worked out once. */
export interface Queue {
  readonly scope: RecordScope;
  readonly name: string;
  readonly arn: string;
  readonly record: QueueRecord;
  readonly identity: QueueIdentity;
  readonly delayMs: number;
  readonly messageBytesMax: number;
  readonly retentionMs: number;
  readonly receiveWaitMs: number;
  readonly visibilityMs: number;
  readonly redrive: Redrive | undefined;
  /** undefined: a standard queue. */
  readonly fifo: FifoSettings | undefined;
  readonly sealing: Omit<SealingPlace, "encryption"> & { readonly encryption: Encryption };
  readonly opening: OpeningPlace;
  /** What a request that names this queue must be allowed to use. */
  readonly uses: readonly [ResourceUse];
}

export interface FifoSettings {
  readonly historyId: string;
  readonly contentBased: boolean;
  /** Whether the same deduplication id may be sent in different groups, as of a service time. */
  dedupesPerGroup(nowMs: number): boolean;
}

/** INVARIANT: a record object belongs to one key, so what follows from it can hang on it. */
const known = new WeakMap<QueueRecord, Queue>();

/** The queue of this name, or undefined. */
export function findQueue(
  view: RecordView,
  scope: RecordScope,
  name: string,
): Soon<Queue | undefined> {
  return soon(
    queueRecords.get(view, scope, name),
    (record) => record && queueOf(record, scope, name),
  );
}

/** Throws QueueDoesNotExist, or MissingParameter without a URL. */
export function requireQueue(call: Call, url: string | undefined): Soon<Queue> {
  if (!url) throw missingParameter("QueueUrl");
  const address = parseQueueUrl(url, call.accountId);
  if (!address) throw queueDoesNotExist();
  const scope = { accountId: address.accountId, region: call.region };
  return soon(findQueue(call.records, scope, address.name), (queue) => {
    if (!queue) throw queueDoesNotExist();
    return queue;
  });
}

export function queueOf(record: QueueRecord, scope: RecordScope, name: string): Queue {
  let queue = known.get(record);
  if (!queue) {
    queue = compile(record, { accountId: scope.accountId, region: scope.region }, name);
    known.set(record, queue);
  }
  return queue;
}

export function queueArn(scope: RecordScope, name: string): string {
  return formatArn("sqs", scope.region, scope.accountId, name);
}

export const queueType = "AWS::SQS::Queue";

function compile(record: QueueRecord, scope: RecordScope, name: string): Queue {
  const { attributes } = record;
  const arn = queueArn(scope, name);
  const place = { service: "sqs" as const, arn, ...scope };
  const seconds = (value: string | undefined) => Number(value ?? "0") * 1000;
  const reuse = attributes.KmsDataKeyReusePeriodSeconds ?? reusePeriodSecondsPreset;
  return {
    scope,
    name,
    arn,
    record,
    identity: { ...scope, queueId: record.queueId },
    delayMs: seconds(attributes.DelaySeconds),
    messageBytesMax: Number(attributes.MaximumMessageSize),
    retentionMs: seconds(attributes.MessageRetentionPeriod),
    receiveWaitMs: seconds(attributes.ReceiveMessageWaitTimeSeconds),
    visibilityMs: seconds(attributes.VisibilityTimeout),
    redrive: attributes.RedrivePolicy ? parseRedrive(attributes.RedrivePolicy) : undefined,
    fifo: attributes.FifoQueue === "true" ? fifoSettings(record) : undefined,
    sealing: { ...place, encryption: encryptionOf(record, seconds(reuse)) },
    opening: { ...place, reusePeriodMs: seconds(reuse) },
    uses: [
      {
        arn,
        accountId: scope.accountId,
        policy: record.policy,
        tags: record.tags,
        secureTransportOnly: Boolean(attributes.KmsMasterKeyId),
        type: queueType,
      },
    ],
  };
}

/** AWS: how long a change of attributes takes to become true; here only that of the scope does. */
const rescopeMs = 60_000;

/**
 * AWS: a changed DeduplicationScope was seen to have no effect at first.
 * AWS?: that it has one after the 60 seconds that changes of attributes take.
 */
function fifoSettings({ queueId, historyId, scopeBefore, attributes }: QueueRecord): FifoSettings {
  return {
    historyId: historyId ?? queueId,
    contentBased: attributes.ContentBasedDeduplication === "true",
    dedupesPerGroup(nowMs) {
      const old = scopeBefore !== undefined && nowMs - scopeBefore.changedMs < rescopeMs;
      return (old ? scopeBefore.value : attributes.DeduplicationScope) === "messageGroup";
    },
  };
}

function encryptionOf(record: QueueRecord, reusePeriodMs: number): Encryption {
  const { KmsMasterKeyId: keyId, SqsManagedSseEnabled } = record.attributes;
  if (keyId) return { mode: "kms", keyId, reusePeriodMs, requireDecrypt: false };
  return { mode: SqsManagedSseEnabled === "true" ? "owned" : "installation" };
}
