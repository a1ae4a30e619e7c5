import type { AccountVersion, Command, ResultsOf, Store } from "../../../src/kernel/command.ts";
import { assert } from "../../../src/kernel/errors.ts";
import type { Sealed, StoredDataKey } from "../../../src/kernel/sealed.ts";
import type { PutDataKey } from "../../../src/sealing/store.ts";
import type {
  ClaimMessages,
  CountMessages,
  InsertMessages,
  NewMessage,
  QueueIdentity,
} from "../../../src/services/sqs/store.ts";

/** Makes an empty store of the kind under test; the suite closes it. */
export type OpenStore = () => Promise<Store>;

/** A test of the contract, run with a store of its own. */
export type ContractTest = (store: Store) => Promise<void>;

/** Tests by what they promise. */
export type Contract = Readonly<Record<string, ContractTest>>;

export const accountId = "123456789012";
export const region = "us-east-1";

let numbers = 0;

/** A name that no other part of this run uses. */
export function unique(prefix: string): string {
  numbers += 1;
  return `${prefix}-${numbers}`;
}

export function queueNamed(queueId: string = unique("queue")): QueueIdentity {
  return { accountId, region, queueId };
}

export function dataKeyNamed(id: string, changes: Partial<StoredDataKey> = {}): StoredDataKey {
  return {
    id,
    accountId,
    region,
    sealingArn: `arn:aws:sqs:${region}:${accountId}:orders`,
    mode: "kms",
    keyArn: `arn:aws:kms:${region}:${accountId}:key/k`,
    blob: Buffer.from(`blob of ${id}`),
    createdMs: 1000,
    ...changes,
  };
}

/** Stores only see sealed bytes; here they are any bytes. */
export function sealedUnder(dataKeyId: string, text: string): Sealed {
  return { dataKeyId, bytes: Buffer.from(text) } as unknown as Sealed;
}

export function messageNamed(
  messageId: string,
  dataKeyId: string,
  sentMs: number,
  changes: Partial<NewMessage> = {},
): NewMessage {
  return {
    messageId,
    sealed: sealedUnder(dataKeyId, `body of ${messageId}`),
    placeMac: Buffer.from(`mac of ${messageId}`),
    attributes: '{"a":1}',
    systemAttributes: '{"s":1}',
    senderId: "AIDASENDER",
    sentMs,
    visibleAtMs: sentMs,
    sizeBytes: 10,
    ...changes,
  };
}

/** Commits; fails the test if the decision was stale. */
export async function commit<const T extends readonly Command[]>(
  store: Store,
  ...commands: T
): Promise<ResultsOf<T>> {
  return commitUnder(store, [], ...commands);
}

export async function commitUnder<const T extends readonly Command[]>(
  store: Store,
  decidedUnder: readonly AccountVersion[],
  ...commands: T
): Promise<ResultsOf<T>> {
  const answer = await store.commit({ decidedUnder, commands });
  assert(answer.status === "done", "the decision is not stale");
  return answer.results as ResultsOf<T>;
}

export function putDataKey(dataKey: StoredDataKey): PutDataKey {
  return { kind: "data-key.put", dataKey };
}

export function insertInto(queue: QueueIdentity, ...messages: NewMessage[]): InsertMessages {
  return { kind: "sqs.insert", queue, messages };
}

/** Stores messages under one data key and answers their queue. Sent at 1000, 1001, … */
export async function queueWith(store: Store, ...messageIds: string[]): Promise<QueueIdentity> {
  const queue = queueNamed();
  const messages = messageIds.map((id, index) => messageNamed(id, "key-1", 1000 + index));
  await commit(store, putDataKey(dataKeyNamed("key-1")), insertInto(queue, ...messages));
  return queue;
}

export function claimFrom(
  queue: QueueIdentity,
  nowMs: number,
  claimId: string,
  changes: Partial<ClaimMessages> = {},
): ClaimMessages {
  return {
    kind: "sqs.claim",
    queue,
    nowMs,
    count: 10,
    visibleAgainMs: nowMs + 30_000,
    retainedSinceMs: 0,
    claimId,
    inFlightMax: 120_000,
    receiveCountMax: undefined,
    ...changes,
  };
}

export function countsOf(
  queue: QueueIdentity,
  nowMs: number,
  retainedSinceMs: number = 0,
): CountMessages {
  return { kind: "sqs.counts", queue, nowMs, retainedSinceMs };
}
