import { parseArn } from "../kernel/arn.ts";
import type { Caller } from "../kernel/caller.ts";
import type { ResourceUse } from "../kernel/operation.ts";
import type { RecordView } from "../kernel/records.ts";
import { type SubscriptionRecord, subscriptionsOf } from "../services/sns/subscriptions.ts";
import { type TopicRecord, topicFacts, topicKind } from "../services/sns/topics.ts";

export interface FoundTopic {
  readonly topic: Readonly<TopicRecord>;
  /** What a person who publishes must be allowed to use. */
  readonly use: ResourceUse;
}

export async function findTopicByArn(
  view: RecordView,
  arn: string,
): Promise<FoundTopic | undefined> {
  const parsed = parseArn(arn);
  if (parsed?.service !== "sns") return undefined;
  const { accountId, region, resource } = parsed;
  const topic = await topicKind.get(view, { accountId, region }, resource);
  const use = topic && topicFacts(topic).uses[0];
  return topic?.arn === arn && use ? { topic, use } : undefined;
}

/** The topic as a kind of caller meets it: only a service has an aws:SourceOwner. */
export function useFor({ use }: FoundTopic, caller: Caller): ResourceUse {
  return caller.kind === "service" ? { ...use, context: {} } : use;
}

/** By endpoint, so that two looks at a topic can be compared. */
export async function subscriptionsOfTopic(
  view: RecordView,
  topic: Readonly<TopicRecord>,
): Promise<readonly Readonly<SubscriptionRecord>[]> {
  const found = (await subscriptionsOf(view, topic)).map(({ value }) => value);
  return found.sort((left, right) => (left.endpoint < right.endpoint ? -1 : 1));
}
