import type { Subscription } from "@aws-sdk/client-sns";
import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import { type RecordEntry, type RecordView, recordKind } from "../../kernel/records.ts";
import type { Soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { invalidParameter, notYourSubscription } from "./errors.ts";
import type { FilterScope } from "./filter/policy.ts";
import type { ReplayState } from "./replay.ts";
import {
  type TopicRecord,
  type TopicReference,
  tooFewElements,
  topicKind,
  topicReference,
  topicType,
  topicUses,
} from "./topics.ts";

export const protocols = [
  "sqs",
  "http",
  "https",
  "lambda",
  "email",
  "email-json",
  "sms",
  "application",
  "firehose",
] as const;

export type Protocol = (typeof protocols)[number];

/** A subscription as stored beside its topic; id: `<topic name>/<uuid>`. */
export interface SubscriptionRecord extends SubscriptionAttributes {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: Protocol;
  /** As it may be shown: a password in it is masked. */
  readonly endpoint: string;
  /** The endpoint as given, sealed, where it holds a password. */
  readonly sealedEndpoint?: string | undefined;
  /** Account of whoever subscribed. */
  readonly owner: string;
  /** ARN of whoever subscribed. */
  readonly principalArn: string;
  /** Still waits for its confirmation; gets no messages. */
  readonly pending?: boolean | undefined;
  /** When a pending one goes by itself. */
  readonly pendingUntilMs?: number | undefined;
  /** A signed request confirmed it. */
  readonly confirmedBySignature?: boolean | undefined;
  /** Only a signed request unsubscribes it. */
  readonly authenticateOnUnsubscribe?: boolean | undefined;
}

/** What can be set on a subscription. Texts of policies are kept as they were given. */
export interface SubscriptionAttributes {
  readonly rawMessageDelivery: boolean;
  readonly filterPolicy?: string | undefined;
  /** Remembered, though not shown, without a policy. */
  readonly filterPolicyScope?: FilterScope | undefined;
  /** ARN of the dead-letter queue, from RedrivePolicy. */
  readonly redrivePolicy?: string | undefined;
  readonly deliveryPolicy?: string | undefined;
  readonly subscriptionRoleArn?: string | undefined;
  readonly replayPolicy?: string | undefined;
  readonly replay?: ReplayState | undefined;
}

export const subscriptionKind = recordKind<SubscriptionRecord>("sns.subscription");

/**
 * What the lists show of a subscription, kept under its owner's account, so that an owner finds the
 * subscriptions it has on topics of others; id: `<topic's account>/<topic name>/<uuid>`.
 */
export type OwnedSubscription = Pick<
  SubscriptionRecord,
  "arn" | "topicArn" | "protocol" | "endpoint" | "owner" | "pending"
>;

export const ownedSubscriptionKind = recordKind<OwnedSubscription>("sns.owned-subscription");

/** A subscription ARN taken apart; says nothing about whether the subscription exists. */
export interface SubscriptionReference {
  readonly arn: string;
  readonly topic: TopicReference;
  readonly uuid: string;
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads a subscription ARN. Throws InvalidParameter if it is none of this region. Links are opened
 * without a signature, which alone names a region: there the ARN's holds.
 */
export function parseSubscriptionArn(call: Call, arn: string): SubscriptionReference {
  if (arn === "") {
    throw invalidParameter("SubscriptionArn Reason: no value for required parameter");
  }
  const parts = arn.split(":");
  if (parts.length < 6) throw tooFewElements("SubscriptionArn", parts.length);
  const [prefix, , service, region = "", accountId = "", name = "", uuid = ""] = parts;
  const here = call.caller.kind === "anonymous" ? region !== "" : region === call.region;
  if (prefix !== "arn" || service !== "sns" || !here) throw invalidParameter("SubscriptionArn");
  if (parts.length !== 7 || !uuidForm.test(uuid)) throw invalidParameter("SubscriptionId");
  return { arn, topic: topicReference({ accountId, region }, name), uuid };
}

/** Topic name and uuid of the ARN of a stored subscription, and the id of its record. */
export function partsOfSubscription(arn: string): {
  readonly name: string;
  readonly uuid: string;
  readonly id: string;
} {
  const [name = "", uuid = ""] = arn.split(":").slice(-2);
  return { name, uuid, id: subscriptionId(name, uuid) };
}

export function subscriptionId(topicName: string, uuid: string): string {
  return `${topicName}/${uuid}`;
}

/** All subscriptions of a topic, in order of their ids; the same objects until one changes. */
export function subscriptionsOf(
  view: RecordView,
  topic: TopicRecord,
): Soon<readonly RecordEntry<SubscriptionRecord>[]> {
  return subscriptionKind.list(view, topic, { idPrefix: `${topic.name}/` });
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

/** As the list calls show it. */
export function describeSubscription(subscription: OwnedSubscription): Wire<Subscription> {
  const { arn, owner, protocol, endpoint, topicArn, pending } = subscription;
  return {
    // AWS: in place of the ARN while nobody has confirmed.
    SubscriptionArn: pending ? "PendingConfirmation" : arn,
    Owner: owner,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topicArn,
  };
}
