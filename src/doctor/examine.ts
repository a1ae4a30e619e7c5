import { type DecisionRequest, decide } from "../auth/policy/index.ts";
import type { Json } from "../kernel/json.ts";
import type { ConditionContext, ConditionValue } from "../kernel/operation.ts";
import type { AttachedPolicy } from "../kernel/policy.ts";
import type { JsonObject } from "../kernel/records.ts";
import { isObject, type PolicyInPlay, policiesOf, readStatements } from "./statements.ts";

/** A statement of a policy in play, and which of its parts the request meets. */
export interface ExaminedStatement extends Omit<PolicyInPlay, "policy"> {
  readonly statementIndex: number;
  readonly statement: JsonObject;
  readonly effect: "Allow" | "Deny";
  readonly principal: boolean;
  readonly action: boolean;
  readonly resource: boolean;
  readonly conditions: readonly ExaminedCondition[];
}

export interface ExaminedCondition {
  readonly operator: string;
  readonly key: string;
  readonly wanted: Json;
  /** Of the request; undefined: the key is absent. */
  readonly value: ConditionValue | undefined;
  readonly holds: boolean;
}

/**
 * Looks at every statement part by part. Each part is put into a policy of its own and given to
 * `decide`, so what is said here is what the engine does, not a second opinion of it.
 */
export function examine(request: DecisionRequest): readonly ExaminedStatement[] {
  return policiesOf(request).flatMap((place) => examinePolicy(request, place));
}

function examinePolicy(
  request: DecisionRequest,
  { policy, policyKind, policyName }: PolicyInPlay,
): readonly ExaminedStatement[] {
  const read = readStatements(policy);
  if (!read) return [];
  return read.statements.map((statement, statementIndex) => {
    const effect = statement.Effect === "Deny" ? ("Deny" as const) : ("Allow" as const);
    const { principalIds } = policy;
    const of = {
      effect,
      version: read.version,
      principalIds,
      federated: isFederated(request, policyKind),
    };
    const meets = (part: JsonObject) => partHolds(request, of, part);
    const Principal = isFederated(request, policyKind)
      ? statement.Principal
      : withoutFederated(statement.Principal);
    const { NotPrincipal, Action, NotAction, Resource, NotResource } = statement;
    return {
      policyKind,
      policyName,
      statementIndex,
      statement,
      effect,
      principal: !isEmpty(Principal) && anyOf({ Principal, NotPrincipal }, meets, true),
      action: anyOf({ Action, NotAction }, meets, false),
      resource: anyOf({ Resource, NotResource }, meets, policyKind === "trust"),
      conditions: conditionsOf(request.context, statement, meets),
    };
  });
}

function isFederated({ caller }: DecisionRequest, policyKind: string): boolean {
  return policyKind === "trust" && caller.kind === "web-identity";
}

/** Other kinds of policy do not know such principals, and they are nobody else's. */
function withoutFederated(principal: Json | undefined): Json | undefined {
  if (!isObject(principal)) return principal;
  const { Federated: _, ...others } = principal;
  return others;
}

function isEmpty(principal: Json | undefined): boolean {
  return isObject(principal) && Object.keys(principal).length === 0;
}

/** Whether the element that is there holds; `absent` where there is neither. */
function anyOf(
  elements: Readonly<Record<string, Json | undefined>>,
  meets: (part: JsonObject) => boolean,
  absent: boolean,
): boolean {
  const found = Object.entries(elements).find(([, value]) => value !== undefined);
  if (!found) return absent;
  const [name, value = null] = found;
  return meets({ [name]: value });
}

function conditionsOf(
  context: ConditionContext,
  { Condition }: JsonObject,
  meets: (part: JsonObject) => boolean,
): readonly ExaminedCondition[] {
  if (!isObject(Condition)) return [];
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    isObject(keys)
      ? Object.entries(keys).map(([key, wanted]) => ({
          operator,
          key,
          wanted,
          value: presentValue(context[key.toLowerCase()]),
          holds: meets({ Condition: { [operator]: { [key]: wanted } } }),
        }))
      : [],
  );
}

/** An empty list is an absent key. */
function presentValue(value: ConditionValue | undefined): ConditionValue | undefined {
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}

/**
 * AWS: the policy of a topic that was made without one. It speaks for services only, so that it
 * keeps a person out is never news.
 */
export function isDefaultStatement({ statement }: ExaminedStatement): boolean {
  return statement.Sid === "__default_statement_ID";
}

interface PartOf {
  readonly effect: "Allow" | "Deny";
  readonly version: Json | undefined;
  readonly principalIds: Readonly<Record<string, string>>;
  readonly federated: boolean;
}

const everything = { Principal: "*", Action: "*", Resource: "*" } as const;
/** Only a role's trust policy, which has no Resource, names federated callers. */
const everythingTrusted = { Principal: "*", Action: "*" } as const;

/** A policy that says yes to all, so that only the part in question can change the answer. */
const identityAllowing: AttachedPolicy = Object.freeze({
  text: JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  }),
  principalIds: Object.freeze({}),
});

function partHolds(request: DecisionRequest, of: PartOf, part: JsonObject): boolean {
  const { effect, version, principalIds, federated } = of;
  const defaults = federated ? everythingTrusted : everything;
  const whole: JsonObject = { Effect: effect, ...without(defaults, part), ...part };
  const document = {
    ...(version !== undefined && { Version: version }),
    Statement: effect === "Allow" ? [whole] : [{ Effect: "Allow", ...defaults }, whole],
  };
  const { allowed } = decide({
    caller: request.caller,
    action: request.action,
    resource: request.resource,
    resourceAccountId: request.resourceAccountId,
    service: request.service,
    context: request.context,
    identity: [{ name: "all", policy: identityAllowing }],
    // A federated user has nothing without a session policy.
    session: request.session && [{ name: "all", policy: identityAllowing }],
    resourcePolicy: { text: JSON.stringify(document), principalIds },
    policyKind: federated ? "trust" : "key",
  });
  return allowed === (effect === "Allow");
}

/** Everything but the element that the part brings, in its plain or negated form. */
function without(defaults: JsonObject, part: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(defaults).filter(([name]) => !(name in part) && !(`Not${name}` in part)),
  );
}
