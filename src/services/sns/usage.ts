import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { Refusal } from "../../kernel/errors.ts";
import { type RecordScope, type RecordView, recordKind } from "../../kernel/records.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";

/**
 * Counts of a topic's subscriptions, kept in the commits that change them, so that neither limits
 * nor GetTopicAttributes walk through all of them; id: the topic's name.
 */
export interface TopicUsage {
  readonly confirmed: number;
  readonly pending: number;
  readonly deleted: number;
  readonly filterPolicies: number;
}

const usageKind = recordKind<TopicUsage>("sns.topic-usage");

/** Filter policies of all topics in an account and region; id: `all`. */
const filterUsageKind = recordKind<{ readonly filterPolicies: number }>("sns.filter-usage");

/**
 * AWS: 200 filter policies on a topic and 10,000 in an account, both raised on request. DIFFERS: a
 * topic may have as many as AWS gives an account, and an account ten times as many: matching costs
 * nothing for policies that a message does not meet.
 */
export const filterPoliciesOfTopicMax = 10_000;
export const filterPoliciesOfAccountMax = 100_000;

/** AWS: 100 subscriptions on a FIFO topic; 12,500,000 on others. */
const fifoSubscriptionsMax = 100;
const subscriptionsMax = 12_500_000;

const nothing: TopicUsage = { confirmed: 0, pending: 0, deleted: 0, filterPolicies: 0 };

export async function usageOf(
  view: RecordView,
  topic: RecordScope & { readonly name: string },
): Promise<TopicUsage> {
  return (await usageKind.get(view, topic, topic.name)) ?? nothing;
}

/** A subscription before and after a change; undefined: it is not there. */
export interface SubscriptionChange {
  readonly before: SubscriptionRecord | undefined;
  readonly after: SubscriptionRecord | undefined;
}

/**
 * Commands that count a change. Throws SubscriptionLimitExceeded and FilterPolicyLimitExceeded.
 * AWS?: their texts.
 */
export async function countChange(
  call: Pick<Call, "records">,
  topic: TopicRecord,
  { before, after }: SubscriptionChange,
): Promise<readonly Command[]> {
  const usage = await usageOf(call.records, topic);
  const [was, is] = [weigh(before), weigh(after)];
  const filters = is.filterPolicies - was.filterPolicies;
  const counted: TopicUsage = {
    confirmed: usage.confirmed + is.confirmed - was.confirmed,
    pending: usage.pending + is.pending - was.pending,
    // AWS: subscriptions that were confirmed once.
    deleted: usage.deleted + (after ? 0 : was.confirmed),
    filterPolicies: usage.filterPolicies + filters,
  };
  const fifo = topic.attributes.FifoTopic === "true";
  const most = fifo ? fifoSubscriptionsMax : subscriptionsMax;
  if (!before && counted.confirmed + counted.pending > most) {
    throw limitExceeded("Subscription", `${most} subscriptions on a topic`);
  }
  if (filters > 0 && counted.filterPolicies > filterPoliciesOfTopicMax) {
    throw limitExceeded("FilterPolicy", `${filterPoliciesOfTopicMax} filter policies on a topic`);
  }
  const put = usageKind.put(topic, topic.name, counted);
  return [put, ...(await countFilters(call.records, topic, filters))];
}

/** Commands that forget the counts of a topic. */
export async function forgetUsage(
  view: RecordView,
  topic: TopicRecord,
): Promise<readonly Command[]> {
  const { filterPolicies } = await usageOf(view, topic);
  return [
    usageKind.remove(topic, topic.name),
    ...(await countFilters(view, topic, -filterPolicies)),
  ];
}

async function countFilters(
  view: RecordView,
  scope: RecordScope,
  change: number,
): Promise<readonly Command[]> {
  if (change === 0) return [];
  const { accountId, region } = scope;
  const known = await filterUsageKind.get(view, { accountId, region }, "all");
  const filterPolicies = (known?.filterPolicies ?? 0) + change;
  if (change > 0 && filterPolicies > filterPoliciesOfAccountMax) {
    throw limitExceeded("FilterPolicy", `${filterPoliciesOfAccountMax} filter policies`);
  }
  return [filterUsageKind.put({ accountId, region }, "all", { filterPolicies })];
}

function weigh(subscription: SubscriptionRecord | undefined): Omit<TopicUsage, "deleted"> {
  return {
    confirmed: subscription && !subscription.pending ? 1 : 0,
    pending: subscription?.pending ? 1 : 0,
    filterPolicies: subscription?.filterPolicy === undefined ? 0 : 1,
  };
}

function limitExceeded(what: "Subscription" | "FilterPolicy", text: string): Refusal {
  return new Refusal(`${what}LimitExceededException`, `Limit exceeded: ${text}`);
}
