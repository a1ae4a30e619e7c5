import { keyOfPlace, type PlacedKey } from "../doctor/keys.ts";
import { type FoundTopic, findTopicByArn } from "../doctor/topic.ts";
import { parseArn } from "../kernel/arn.ts";
import type { RecordScope, RecordView } from "../kernel/records.ts";
import { type TopicRecord, topicFacts, topicKind } from "../services/sns/topics.ts";
import { findQueue, type Queue, queueOf } from "../services/sqs/queue.ts";
import { queueRecords } from "../services/sqs/records.ts";

/** A topic or queue with SSE-KMS: what makes requests to KMS. */
export type KeyedPlace = {
  readonly arn: string;
  readonly scope: RecordScope;
  readonly key: PlacedKey;
  readonly reuseSeconds: number;
} & ({ readonly topic: FoundTopic } | { readonly queue: Queue });

export async function placeOfTopic(
  view: RecordView,
  arn: string,
): Promise<KeyedPlace | "plain" | undefined> {
  const found = await findTopicByArn(view, arn);
  return found && topicPlace(view, found.topic, found);
}

export async function placeOfQueue(
  view: RecordView,
  arn: string,
): Promise<KeyedPlace | "plain" | undefined> {
  const parsed = parseArn(arn);
  if (parsed?.service !== "sqs") return undefined;
  const queue = await findQueue(view, parsed, parsed.resource);
  return queue && queuePlace(view, queue);
}

/** All topics, then all queues with SSE-KMS. */
export async function placesIn(
  view: RecordView,
  scope: RecordScope,
): Promise<readonly KeyedPlace[]> {
  const places: (KeyedPlace | "plain")[] = [];
  for (const { value } of await topicKind.list(view, scope)) {
    const [use] = topicFacts(value).uses;
    if (use) places.push(await topicPlace(view, value, { topic: value, use }));
  }
  for (const { id, value } of await queueRecords.list(view, scope)) {
    places.push(await queuePlace(view, queueOf(value, scope, id)));
  }
  return places.filter((place) => place !== "plain");
}

async function topicPlace(
  view: RecordView,
  { arn, accountId, region }: Readonly<TopicRecord>,
  topic: FoundTopic,
): Promise<KeyedPlace | "plain"> {
  const { encryption } = topicFacts(topic.topic).place;
  if (encryption.mode !== "kms") return "plain";
  const scope = { accountId, region };
  const key = await keyOfPlace(view, scope, encryption.keyId);
  return { arn, scope, key, reuseSeconds: encryption.reusePeriodMs / 1000, topic };
}

async function queuePlace(view: RecordView, queue: Queue): Promise<KeyedPlace | "plain"> {
  const { encryption } = queue.sealing;
  if (encryption.mode !== "kms") return "plain";
  const { arn, scope } = queue;
  const key = await keyOfPlace(view, scope, encryption.keyId);
  return { arn, scope, key, reuseSeconds: encryption.reusePeriodMs / 1000, queue };
}
