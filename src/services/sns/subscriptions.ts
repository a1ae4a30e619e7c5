import type { Subscription } from "@aws-sdk/client-sns";
import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import type { Command } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { InvokeTarget } from "../../kernel/invoke.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import {
  type RecordEntry,
  type RecordScope,
  type RecordView,
  recordKind,
} from "../../kernel/records.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { invalidParameter, notYourSubscription } from "./errors.ts";
import { servicePrincipal } from "./ports.ts";
import type { ExpireUndelivered } from "./store.ts";
import {
  type TopicRecord,
  type TopicReference,
  tooFewElements,
  topicKind,
  topicReference,
  topicType,
  topicUses,
} from "./topics.ts";

/** A subscription as stored beside its topic; id: `<topic name>/<uuid>`. */
export interface SubscriptionRecord {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: "sqs";
  /** ARN of the queue. */
  readonly endpoint: string;
  /** Account of whoever subscribed. */
  readonly owner: string;
  /** ARN of whoever subscribed. */
  readonly principalArn: string;
  readonly rawMessageDelivery: boolean;
}

export const subscriptionKind = recordKind<SubscriptionRecord>("sns.subscription");

/**
 * What never changes of a subscription, kept under its owner's account, so that an owner finds the
 * subscriptions it has on topics of others; id: `<topic's account>/<topic name>/<uuid>`.
 */
export type OwnedSubscription = Pick<
  SubscriptionRecord,
  "arn" | "topicArn" | "protocol" | "endpoint" | "owner"
>;

export const ownedSubscriptionKind = recordKind<OwnedSubscription>("sns.owned-subscription");

/** A subscription ARN taken apart; says nothing about whether the subscription exists. */
export interface SubscriptionReference {
  readonly arn: string;
  readonly topic: TopicReference;
  readonly uuid: string;
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a subscription ARN. Throws InvalidParameter if it is none of this region. */
export function parseSubscriptionArn(call: Call, arn: string): SubscriptionReference {
  if (arn === "") {
    throw invalidParameter("SubscriptionArn Reason: no value for required parameter");
  }
  const parts = arn.split(":");
  if (parts.length < 6) throw tooFewElements("SubscriptionArn", parts.length);
  const [prefix, , service, region = "", accountId = "", name = "", uuid = ""] = parts;
  if (prefix !== "arn" || service !== "sns" || region !== call.region) {
    throw invalidParameter("SubscriptionArn");
  }
  if (parts.length !== 7 || !uuidForm.test(uuid)) throw invalidParameter("SubscriptionId");
  return { arn, topic: topicReference({ accountId, region }, name), uuid };
}

export function subscriptionId(topicName: string, uuid: string): string {
  return `${topicName}/${uuid}`;
}

/** All subscriptions of a topic, in order of their ids; the same objects until one changes. */
export function subscriptionsOf(
  view: RecordView,
  topic: TopicRecord,
): Promise<readonly RecordEntry<SubscriptionRecord>[]> {
  return subscriptionKind.list(view, topic, { idPrefix: `${topic.name}/` });
}

export function putSubscription(
  topic: RecordScope & { readonly name: string },
  uuid: string,
  subscription: SubscriptionRecord,
): readonly Command[] {
  const { arn, topicArn, protocol, endpoint, owner } = subscription;
  const id = subscriptionId(topic.name, uuid);
  return [
    subscriptionKind.put(topic, id, subscription),
    ownedSubscriptionKind.put(ownerScope(topic, owner), `${topic.accountId}/${id}`, {
      arn,
      topicArn,
      protocol,
      endpoint,
      owner,
    }),
  ];
}

/** Removes a subscription with everything that still waits to be delivered to it. */
export function removeSubscription(
  topic: RecordScope,
  { id, value }: RecordEntry<SubscriptionRecord>,
): readonly Command[] {
  const expire: ExpireUndelivered = {
    kind: "sns.undelivered.expire",
    publishedBeforeMs: Number.MAX_SAFE_INTEGER,
    subscriptionArn: value.arn,
    rowsMax: Number.MAX_SAFE_INTEGER,
  };
  return [
    subscriptionKind.remove(topic, id),
    ownedSubscriptionKind.remove(ownerScope(topic, value.owner), `${topic.accountId}/${id}`),
    expire,
  ];
}

function ownerScope(topic: RecordScope, owner: string): RecordScope {
  return { accountId: owner, region: topic.region };
}

/** A subscription and its topic as far as they exist. */
export interface FoundSubscription {
  readonly topic: TopicRecord | undefined;
  readonly entry: RecordEntry<SubscriptionRecord> | undefined;
}

export async function findSubscription(
  call: Call,
  reference: SubscriptionReference,
): Promise<FoundSubscription> {
  const { scope, name } = reference.topic;
  const id = subscriptionId(name, reference.uuid);
  const value = await subscriptionKind.get(call.records, scope, id);
  const topic = await topicKind.get(call.records, scope, name);
  return { topic, entry: value && { id, value } };
}

/**
 * What authorisation must decide for a call on a subscription: SNS has no resource of its own for
 * them, so the topic's ARN stands for it. The owner of a subscription on a foreign topic acts under
 * its own account's policies. Throws AuthorizationError for anybody else from another account.
 */
export function subscriptionUses(
  call: Call,
  reference: SubscriptionReference,
  { topic, entry }: FoundSubscription,
): readonly ResourceUse[] {
  const accountId = callerAccountId(call.caller);
  const { topic: place } = reference;
  if (accountId === undefined || accountId === place.scope.accountId) {
    return topicUses(call, place, topic);
  }
  if (entry?.value.owner !== accountId) throw notYourSubscription();
  const secureTransportOnly = topic?.attributes.KmsMasterKeyId !== undefined;
  return [{ arn: place.arn, accountId, secureTransportOnly, type: topicType }];
}

/** What delivery needs of a subscription, worked out once for each record. */
export interface SubscriptionFacts {
  /** `/<account>/<queue>`: the path of the queue's URL. */
  readonly queuePath: string;
  readonly target: InvokeTarget;
}

const factsOfSubscriptions = new WeakMap<SubscriptionRecord, SubscriptionFacts>();

export function subscriptionFacts(subscription: SubscriptionRecord): SubscriptionFacts {
  const known = factsOfSubscriptions.get(subscription);
  if (known) return known;
  const queue = parseArn(subscription.endpoint);
  const topic = parseArn(subscription.topicArn);
  assert(queue && topic, "a stored subscription names a queue and a topic");
  const facts: SubscriptionFacts = {
    queuePath: `/${queue.accountId}/${queue.resource}`,
    target: {
      service: "sqs",
      operation: "SendMessage",
      region: queue.region,
      as: {
        kind: "service",
        service: servicePrincipal,
        sourceArn: subscription.topicArn,
        sourceAccountId: topic.accountId,
      },
    },
  };
  factsOfSubscriptions.set(subscription, facts);
  return facts;
}

/** As the list calls show it. */
export function describeSubscription(subscription: OwnedSubscription): Wire<Subscription> {
  const { arn, owner, protocol, endpoint, topicArn } = subscription;
  return {
    SubscriptionArn: arn,
    Owner: owner,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topicArn,
  };
}
