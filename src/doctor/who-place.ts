import { parseArn } from "../kernel/arn.ts";
import type { Caller, ServicePrincipal } from "../kernel/caller.ts";
import type { ResourceUse } from "../kernel/operation.ts";
import type { AttachedPolicy } from "../kernel/policy.ts";
import { accounts, installation } from "../services/iam/store.ts";
import { findQueue } from "../services/sqs/queue.ts";
import type { DecidingStatement } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { type KeyedPlace, type KeyOperation, keyedPlace, keyHops } from "./key-hops.ts";
import { peopleOf, rootOf, supposedSourceArn } from "./people.ts";
import { eventSources } from "./source-list.ts";
import { isObject, readStatements, textsOf } from "./statements.ts";
import { findTopicByArn, useFor } from "./topic.ts";
import { nameOf } from "./words.ts";

/** Somebody who could do something to a topic or queue now, key included. */
export interface PlaceRight {
  readonly principal: string;
  readonly action: string;
  readonly reason: string;
  /** Of the topic's or queue's side and of the key's. */
  readonly statements: readonly DecidingStatement[];
}

export interface WhoAtPlace {
  readonly resource: string;
  /** null: bodies are sealed without a key of KMS. */
  readonly key: string | null;
  readonly rights: readonly PlaceRight[];
}

/** A topic or queue as its rights are asked about. */
interface Place {
  readonly service: "sns" | "sqs";
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly policy: AttachedPolicy | undefined;
  readonly useFor: (caller: Caller) => ResourceUse;
  readonly keyId: string | undefined;
  /** Actions, and what of the key each takes. */
  readonly actions: readonly (readonly [action: string, key: readonly KeyOperation[]])[];
}

/**
 * Every principal of every account here, and every service that the policy may mean, that could
 * publish to a topic, or send to and receive from a queue. undefined: there is none of that name.
 */
export async function whoAtPlace(inquiry: Inquiry, arn: string): Promise<WhoAtPlace | undefined> {
  const place = (await topicPlace(inquiry, arn)) ?? (await queuePlace(inquiry, arn));
  if (!place) return undefined;
  const keyed = await keyedPlace(inquiry, place, place.keyId);
  const rights: PlaceRight[] = [];
  for (const caller of await candidates(inquiry, place)) {
    for (const [action, operations] of place.actions) {
      const right = await rightOf(inquiry, place, keyed, caller, action, operations);
      if (right) rights.push(right);
    }
  }
  return { resource: arn, key: keyed?.key.arn ?? null, rights };
}

async function topicPlace(inquiry: Inquiry, arn: string): Promise<Place | undefined> {
  const found = await findTopicByArn(inquiry.view, arn);
  if (!found) return undefined;
  const { accountId, region, policy, attributes } = found.topic;
  return {
    service: "sns",
    arn,
    accountId,
    region,
    policy,
    useFor: (caller) => useFor(found, caller),
    keyId: attributes.KmsMasterKeyId,
    actions: [["sns:Publish", ["GenerateDataKey", "Decrypt"]]],
  };
}

async function queuePlace(inquiry: Inquiry, arn: string): Promise<Place | undefined> {
  const parsed = parseArn(arn);
  if (parsed?.service !== "sqs") return undefined;
  const { accountId, region, resource } = parsed;
  const queue = await findQueue(inquiry.view, { accountId, region }, resource);
  if (queue?.arn !== arn) return undefined;
  const { encryption } = queue.sealing;
  const [use] = queue.uses;
  return {
    service: "sqs",
    arn,
    accountId,
    region,
    policy: use.policy,
    useFor: () => use,
    keyId: encryption.mode === "kms" ? encryption.keyId : undefined,
    actions: [
      ["sqs:SendMessage", ["GenerateDataKey"]],
      ["sqs:ReceiveMessage", ["Decrypt"]],
    ],
  };
}

async function candidates(inquiry: Inquiry, place: Place): Promise<readonly Caller[]> {
  const { view, nowMs } = inquiry;
  const people: Caller[] = [];
  const known = (await accounts.list(view, installation)).map(({ id }) => id);
  for (const accountId of new Set([place.accountId, ...known])) {
    people.push(rootOf(accountId), ...(await peopleOf(view, accountId, nowMs)));
  }
  return [...people, ...servicesFor(place), { kind: "anonymous" }];
}

/** Services that the policy names, as each would come for a source of this account. */
function servicesFor({ service, accountId, region, policy }: Place): readonly Caller[] {
  const statements = (policy && readStatements(policy)?.statements) ?? [];
  const sources = statements.flatMap(({ Condition }) => sourceArnsIn(Condition));
  const named = statements.flatMap(({ Principal }) =>
    isObject(Principal) ? textsOf(Principal.Service) : [],
  );
  // AWS: the default policy of a topic admits event sources of the account without naming them.
  const others =
    service === "sns"
      ? eventSources.filter(({ needs }) => needs === "service").map((source) => source.service)
      : ["sns.amazonaws.com"];
  return [...new Set([...named, ...others])]
    .filter((name): name is ServicePrincipal => name.endsWith(".amazonaws.com"))
    .flatMap((name) => {
      const prefix = name.split(".")[0] ?? "";
      const own = sources.filter((arn) => parseArn(arn)?.service === prefix);
      const arns = own.length > 0 ? own : [supposedSourceArn(name, region, accountId)];
      return [...new Set(arns)].map((sourceArn) => ({
        kind: "service" as const,
        service: name,
        sourceArn,
        sourceAccountId: parseArn(sourceArn)?.accountId || accountId,
      }));
    });
}

/** ARNs that conditions on aws:SourceArn ask for, whole ones. */
function sourceArnsIn(condition: unknown): readonly string[] {
  if (typeof condition !== "object" || condition === null) return [];
  return Object.values(condition).flatMap((keys: unknown) =>
    typeof keys === "object" && keys !== null
      ? Object.entries(keys)
          .filter(([key]) => key.toLowerCase() === "aws:sourcearn")
          .flatMap(([, value]) => textsOf(value))
          .filter((arn) => !/[*?]/.test(arn))
      : [],
  );
}

async function rightOf(
  inquiry: Inquiry,
  place: Place,
  keyed: KeyedPlace | undefined,
  caller: Caller,
  action: string,
  operations: readonly KeyOperation[],
): Promise<PlaceRight | undefined> {
  const { service, region } = place;
  const request = await inquiry.ask({ caller, action, service, region }, place.useFor(caller));
  const verdict = judge(request);
  if (!verdict.allowed) return undefined;
  // AWS: SSE-KMS asks for a signed request.
  if (keyed && caller.kind === "anonymous") return undefined;
  const from = nameOf(caller);
  const reasons = [verdict.reason];
  const statements = [...verdict.statements];
  for (const operation of keyed ? operations : []) {
    const hops = keyed ? await keyHops(inquiry, keyed, operation, { caller, from }) : [];
    if (hops.some(({ allowed }) => !allowed)) return undefined;
    reasons.push(...hops.map((hop) => `${hop.action} ${hop.reason}`));
    statements.push(...hops.flatMap((hop) => hop.statements));
  }
  const source = caller.kind === "service" ? ` (for ${caller.sourceArn})` : "";
  return { principal: from + source, action, reason: reasons.join("; "), statements };
}
