import { hash } from "node:crypto";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { type RecordEntry, type RecordScope, recordKind } from "../../kernel/records.ts";
import type { ExpireUndelivered } from "./store.ts";
import {
  ownedSubscriptionKind,
  partsOfSubscription,
  type SubscriptionRecord,
  subscriptionKind,
} from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";
import { countChange, forgetUsage } from "./usage.ts";

/**
 * Which subscriptions of a topic an endpoint has (as shown: those that differ in their password
 * share one); id: `<topic name>/<digest of protocol and endpoint>`.
 */
interface EndpointRecord {
  readonly uuids: readonly string[];
}

const endpointKind = recordKind<EndpointRecord>("sns.endpoint");

type Place = Pick<SubscriptionRecord, "protocol" | "endpoint">;

/** Subscriptions of a topic with this endpoint as shown. */
export async function subscriptionsAt(
  call: Call,
  topic: TopicRecord,
  place: Place,
): Promise<readonly RecordEntry<SubscriptionRecord>[]> {
  const known = await endpointKind.get(call.records, topic, endpointId(topic, place));
  const found: RecordEntry<SubscriptionRecord>[] = [];
  for (const uuid of known?.uuids ?? []) {
    const id = `${topic.name}/${uuid}`;
    const value = await subscriptionKind.get(call.records, topic, id);
    if (value) found.push({ id, value });
  }
  return found;
}

/** Commands that make a subscription true, new or changed. Throws what its limits throw. */
export async function saveSubscription(
  call: Pick<Call, "records">,
  topic: TopicRecord,
  before: SubscriptionRecord | undefined,
  after: SubscriptionRecord,
): Promise<readonly Command[]> {
  const { uuid, id } = partsOfSubscription(after.arn);
  const { arn, topicArn, protocol, endpoint, owner, pending } = after;
  const commands: Command[] = [subscriptionKind.put(topic, id, after)];
  if (!before || before.pending !== after.pending) {
    const owned = { arn, topicArn, protocol, endpoint, owner, pending };
    const scope = ownerScope(topic, owner);
    commands.push(ownedSubscriptionKind.put(scope, `${topic.accountId}/${id}`, owned));
  }
  if (!before) {
    const place = endpointId(topic, after);
    const known = await endpointKind.get(call.records, topic, place);
    commands.push(endpointKind.put(topic, place, { uuids: [...(known?.uuids ?? []), uuid] }));
  }
  return [...commands, ...(await countChange(call, topic, { before, after }))];
}

/** Commands that remove a subscription with everything that waits to be delivered to it. */
export async function removeSubscription(
  call: Pick<Call, "records">,
  topic: TopicRecord,
  entry: RecordEntry<SubscriptionRecord>,
): Promise<readonly Command[]> {
  const { uuid } = partsOfSubscription(entry.value.arn);
  const place = endpointId(topic, entry.value);
  const known = await endpointKind.get(call.records, topic, place);
  const left = (known?.uuids ?? []).filter((each) => each !== uuid);
  return [
    ...removeRecords(topic, entry),
    left.length > 0
      ? endpointKind.put(topic, place, { uuids: left })
      : endpointKind.remove(topic, place),
    ...(await countChange(call, topic, { before: entry.value, after: undefined })),
  ];
}

/** Commands that remove all subscriptions of a topic which goes. */
export async function removeAllSubscriptions(
  call: Pick<Call, "records">,
  topic: TopicRecord,
  entries: readonly RecordEntry<SubscriptionRecord>[],
): Promise<readonly Command[]> {
  const places = new Set(entries.map(({ value }) => endpointId(topic, value)));
  return [
    ...entries.flatMap((entry) => removeRecords(topic, entry)),
    ...[...places].map((place) => endpointKind.remove(topic, place)),
    ...(await forgetUsage(call.records, topic)),
  ];
}

function removeRecords(
  topic: RecordScope,
  { id, value }: RecordEntry<SubscriptionRecord>,
): readonly Command[] {
  const expire: ExpireUndelivered = {
    kind: "sns.undelivered.expire",
    publishedBeforeMs: Number.MAX_SAFE_INTEGER,
    subscriptionArn: value.arn,
    rowsMax: Number.MAX_SAFE_INTEGER,
  };
  const owned = `${topic.accountId}/${id}`;
  return [
    subscriptionKind.remove(topic, id),
    ownedSubscriptionKind.remove(ownerScope(topic, value.owner), owned),
    expire,
  ];
}

function ownerScope(topic: RecordScope, owner: string): RecordScope {
  return { accountId: owner, region: topic.region };
}

function endpointId(topic: { readonly name: string }, { protocol, endpoint }: Place): string {
  return `${topic.name}/${hash("sha256", `${protocol}\n${endpoint}`, "hex")}`;
}
