import type { StatementReference } from "../../kernel/errors.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
import { splitArn } from "./arns.ts";
import type { CompiledStatement, ResourceName } from "./compile.ts";
import { compilePolicy, statementHolds, statementsFor } from "./compile.ts";
import type { DecisionReason, DecisionRequest } from "./decision.ts";
import type { PolicyKind } from "./document.ts";
import type { Relation } from "./principals.ts";
import { notPrincipalMatches, strongestRelation } from "./principals.ts";

type Allows = readonly StatementReference[];

/** Every statement that matches a request, sorted by what it can do. */
export interface Gathered {
  /** In the order in which they are reported. */
  readonly denies: readonly { reason: DecisionReason; statement: StatementReference }[];
  readonly identity: Allows;
  /** undefined: the caller has no such policy, which limits nothing. */
  readonly boundary: Allows | undefined;
  readonly session: Allows | undefined;
  readonly endpoint: Allows | undefined;
  /** One entry per level. */
  readonly serviceControl: readonly Allows[];
  /** Allows of the resource's own policy, by how they name the caller. */
  readonly resource: Readonly<Record<Relation, Allows>>;
}

const none: Allows = [];

class Collector {
  readonly denies: { reason: DecisionReason; statement: StatementReference }[] = [];
  readonly #request: DecisionRequest;
  readonly #action: string;
  readonly #resource: ResourceName;

  constructor(request: DecisionRequest) {
    this.#request = request;
    this.#action = request.action.toLowerCase();
    this.#resource = { text: request.resource, parts: splitArn(request.resource) };
  }

  /** Allows of policies that name no principal. */
  allows(policies: readonly NamedPolicy[], kind: PolicyKind, reason: DecisionReason): Allows {
    let found: StatementReference[] | undefined;
    for (const { name, policy } of speakers(policies, kind, this.#action)) {
      for (const compiled of this.#statements(policy, kind, reason, name)) {
        if (!statementHolds(compiled, this.#resource, this.#request.context)) continue;
        const statement = referTo(compiled, reason, name);
        if (compiled.statement.effect === "Deny") this.denies.push({ reason, statement });
        else {
          found ??= [];
          found.push(statement);
        }
      }
    }
    return found ?? none;
  }

  /** Allows of a policy that names principals, by relation. */
  allowsByRelation(
    policy: AttachedPolicy,
    kind: PolicyKind,
    reason: DecisionReason,
    name: string,
  ): Record<Relation, StatementReference[]> {
    const found: Record<Relation, StatementReference[]> = { direct: [], role: [], account: [] };
    for (const compiled of this.#statements(policy, kind, reason, name)) {
      if (!statementHolds(compiled, this.#resource, this.#request.context)) continue;
      const relation = this.#relation(compiled, policy);
      if (relation === undefined) continue;
      const statement = referTo(compiled, reason, name);
      if (compiled.statement.effect === "Deny") this.denies.push({ reason, statement });
      else found[relation].push(statement);
    }
    return found;
  }

  /** Statements about the action. A broken policy denies instead. */
  #statements(
    policy: AttachedPolicy,
    kind: PolicyKind,
    reason: DecisionReason,
    policyName: string,
  ): readonly CompiledStatement[] {
    const compiled = compilePolicy(policy, kind);
    if (compiled.broken === undefined) return statementsFor(compiled, this.#action);
    const statement = { policyKind: reason, policyName, statementIndex: -1 };
    this.denies.push({ reason, statement });
    return [];
  }

  #relation({ statement }: CompiledStatement, policy: AttachedPolicy): Relation | undefined {
    const { principal, effect } = statement;
    if (principal === undefined) return undefined;
    const { caller } = this.#request;
    if (!principal.not) return strongestRelation(principal.values, caller, policy.principalIds);
    return notPrincipalMatches(principal.values, effect, caller, policy.principalIds)
      ? "direct"
      : undefined;
  }
}

/** Shorter lists are looked through faster than looked up; many are made for one decision. */
const longList = 8;
const speakersMax = 256;
const speakersOf = new WeakMap<readonly NamedPolicy[], Map<string, readonly NamedPolicy[]>>();

/**
 * The policies of a list that say anything about an action, and those that are broken. A long list
 * is looked through once for each action: it stays the same object until its account changes.
 */
function speakers(
  policies: readonly NamedPolicy[],
  kind: PolicyKind,
  action: string,
): readonly NamedPolicy[] {
  if (policies.length < longList) return policies;
  const byAction = speakersOf.get(policies) ?? new Map<string, readonly NamedPolicy[]>();
  speakersOf.set(policies, byAction);
  const key = `${kind} ${action}`;
  const known = byAction.get(key);
  if (known !== undefined) return known;
  const found = policies.filter(({ policy }) => {
    const compiled = compilePolicy(policy, kind);
    return compiled.broken !== undefined || statementsFor(compiled, action).length > 0;
  });
  if (byAction.size >= speakersMax) byAction.clear();
  byAction.set(key, found);
  return found;
}

function referTo(
  { statement }: CompiledStatement,
  policyKind: string,
  policyName: string,
): StatementReference {
  const place = { policyKind, policyName, statementIndex: statement.index };
  return statement.sid === undefined ? place : { ...place, sid: statement.sid };
}

/** Asks every policy that applies; nothing is decided yet, so no order of policies can leak. */
export function gather(request: DecisionRequest): Gathered {
  const collector = new Collector(request);
  const { endpoint, resourcePolicy } = request;
  // Services and strangers have no account whose policies speak for them.
  const accountSide = "accountId" in request.caller;
  const serviceControl = accountSide ? (request.serviceControl ?? []) : [];
  const { boundary, session } = accountSide ? request : {};
  const kind = request.policyKind ?? "resource";
  return {
    serviceControl: serviceControl.map((level) =>
      collector.allows(level, "identity", "service-control"),
    ),
    endpoint: endpoint && endpointAllows(collector, endpoint),
    resource: resourcePolicy
      ? collector.allowsByRelation(resourcePolicy, kind, kind, request.resource)
      : { direct: none, role: none, account: none },
    identity: accountSide ? collector.allows(request.identity, "identity", "identity") : none,
    boundary: boundary && collector.allows([boundary], "boundary", "boundary"),
    session:
      session && session.length > 0 ? collector.allows(session, "session", "session") : undefined,
    denies: collector.denies,
  };
}

/** An endpoint policy is an upper bound only: how it names the caller does not matter. */
function endpointAllows(collector: Collector, { policy, name }: NamedPolicy): Allows {
  const found = collector.allowsByRelation(policy, "endpoint", "endpoint", name);
  return [...found.direct, ...found.role, ...found.account];
}
