import { formatArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import { assert } from "../../kernel/errors.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import { type RecordScope, recordKind } from "../../kernel/records.ts";
import type { SealingPlace } from "../../kernel/sealer.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { invalidParameter, topicDoesNotExist } from "./errors.ts";
import type { MessageRules } from "./message.ts";

/** A topic as stored; id: its name. */
export interface TopicRecord {
  readonly arn: string;
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  /** Attributes that were set, by their AWS names; Policy is kept apart. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly policy: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
  /** When the present archive began; absent: there is none. */
  readonly archiveSinceMs?: number | undefined;
  /** Checked, kept and shown; see data-protection.ts. */
  readonly dataProtectionPolicy?: string | undefined;
}

export const topicKind = recordKind<TopicRecord>("sns.topic");

/** A topic ARN taken apart; says nothing about whether the topic exists. */
export interface TopicReference {
  readonly arn: string;
  readonly name: string;
  readonly scope: RecordScope;
}

/** AWS: the name in the clear; FIFO topics end in `.fifo`. */
const topicName = /^[A-Za-z0-9_-]{1,256}(\.fifo)?$/;

export function topicReference(scope: RecordScope, name: string): TopicReference {
  return { arn: formatArn("sns", scope.region, scope.accountId, name), name, scope };
}

/**
 * Reads a topic ARN. Throws InvalidParameter if it is none, or one of another region: SNS never
 * acts across regions.
 */
export function parseTopicArn(call: Call, arn: string, parameter = "TopicArn"): TopicReference {
  const parts = arn.split(":");
  if (parts.length < 6) throw tooFewElements(parameter, parts.length);
  const [prefix, , service, region = "", accountId = "", name = ""] = parts;
  const ours = prefix === "arn" && service === "sns" && region === call.region;
  if (!ours || parts.length !== 6 || accountId === "" || !topicName.test(name)) {
    throw invalidParameter(parameter);
  }
  return { arn, name, scope: { accountId, region } };
}

export function tooFewElements(parameter: string, elements: number): Error {
  const text = `An ARN must have at least 6 elements, not ${elements}`;
  return invalidParameter(`${parameter} Reason: ${text}`);
}

/**
 * The topic, or undefined where a caller of another account must not learn that there is none.
 * Throws `missing` for a missing topic of the caller's account.
 */
export function findTopic(
  call: Call,
  reference: TopicReference,
  missing: () => Error = topicDoesNotExist,
): Soon<TopicRecord | undefined> {
  return soon(topicKind.get(call.records, reference.scope, reference.name), (topic) => {
    if (!topic && callerAccountId(call.caller) === reference.scope.accountId) throw missing();
    return topic;
  });
}

/** The topic of a call that was authorised; a caller of another account hears of a missing one. */
export function authorisedTopic(
  call: Call,
  reference: TopicReference,
  missing: () => Error = topicDoesNotExist,
): Soon<TopicRecord> {
  return soon(topicKind.get(call.records, reference.scope, reference.name), (topic) => {
    if (!topic) throw missing();
    return topic;
  });
}

/** What authorisation must decide for a call on a topic. */
export function topicUses(
  call: Call,
  reference: TopicReference,
  topic: TopicRecord | undefined,
  context?: ConditionContext,
): readonly ResourceUse[] {
  const { caller } = call;
  if (!topic) {
    const { accountId } = reference.scope;
    return [{ arn: reference.arn, accountId, type: topicType, context }];
  }
  const { uses } = topicFacts(topic);
  if (caller.kind !== "service" && !context) return uses;
  const owner = caller.kind === "service" ? undefined : noSourceOwner;
  return uses.map((use) => ({ ...use, context: { ...owner, ...context } }));
}

/**
 * AWS: the default policy's AWS:SourceOwner is the account for which a service acts. A principal
 * that calls by itself has none, so the default policy grants users of the account nothing: their
 * own policies must. (An empty list is an absent key.)
 */
const noSourceOwner: ConditionContext = { "aws:sourceowner": [] };

export const topicType = "AWS::SNS::Topic";

/** What Publish needs of a topic, worked out once for each record. */
export interface TopicFacts {
  readonly uses: readonly ResourceUse[];
  readonly place: SealingPlace;
  readonly signatureVersion: "1" | "2";
  readonly messageBytesMax: number;
  readonly rules: MessageRules;
}

/** AWS: SNS reuses a data key for up to 5 minutes; no attribute changes that. */
export const dataKeyReuseMs = 300_000;

/** AWS: 256 KiB unless MaximumMessageSize says otherwise. */
export const messageBytesMaxDefault = 262_144;

const factsOfTopics = new WeakMap<TopicRecord, TopicFacts>();

export function topicFacts(topic: TopicRecord): TopicFacts {
  const known = factsOfTopics.get(topic);
  if (known) return known;
  const facts = compileFacts(topic);
  factsOfTopics.set(topic, facts);
  return facts;
}

function compileFacts(topic: TopicRecord): TopicFacts {
  const { arn, accountId, region, attributes } = topic;
  const keyId = attributes.KmsMasterKeyId;
  const size = attributes.MaximumMessageSize;
  assert(keyId !== "", "an empty key id is stored as no key id");
  const encrypted = keyId !== undefined;
  return {
    uses: [
      {
        arn,
        accountId,
        policy: topic.policy,
        tags: topic.tags,
        secureTransportOnly: encrypted,
        type: topicType,
        context: noSourceOwner,
      },
    ],
    place: {
      service: "sns",
      arn,
      accountId,
      region,
      encryption: encrypted
        ? { mode: "kms", keyId, reusePeriodMs: dataKeyReuseMs, requireDecrypt: true }
        : { mode: "installation" },
    },
    signatureVersion: attributes.SignatureVersion === "2" ? "2" : "1",
    messageBytesMax: size === undefined ? messageBytesMaxDefault : Number(size),
    rules: {
      fifo: attributes.FifoTopic === "true",
      contentBasedDeduplication: attributes.ContentBasedDeduplication === "true",
      deduplicatesByGroup: attributes.FifoThroughputScope === "MessageGroup",
    },
  };
}

/** The scope that calls without a topic act in: the caller's account in the call's region. */
export function callScope(call: Call): RecordScope {
  return { accountId: call.accountId, region: call.region };
}

/** AWS: calls that name no topic are authorised on all of the account's (`…:*`). */
export function accountUses(call: Call): readonly ResourceUse[] {
  const { accountId, region } = callScope(call);
  return [{ arn: formatArn("sns", region, accountId, "*"), accountId }];
}
