import type { StatementReference } from "../../kernel/errors.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
import { splitArn } from "./arns.ts";
import type { CompiledStatement } from "./compile.ts";
import { statementHolds } from "./compile.ts";
import type { DecisionReason, DecisionRequest } from "./decision.ts";
import type { PolicyKind } from "./document.ts";
import { indexOf, indexOfList } from "./indexes.ts";
import type { Relation } from "./principals.ts";
import { relationTo } from "./principals.ts";
import type { StatementIndex, Subject } from "./statement-index.ts";
import { fewStatements } from "./statement-index.ts";

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

const none: readonly never[] = [];

/** Nearly every list stays empty or gets one: an empty array that grows has room for many. */
function added<T>(list: readonly T[], one: T): readonly T[] {
  if (list.length === 0) return [one];
  // Only `none` is not the collector's own.
  (list as T[]).push(one);
  return list;
}

class Collector {
  denies: Gathered["denies"] = none;
  readonly #request: DecisionRequest;
  readonly #action: string;
  readonly #subject: Subject;

  constructor(request: DecisionRequest) {
    const { caller, resource: text } = request;
    this.#request = request;
    this.#action = request.action.toLowerCase();
    this.#subject = { caller, resource: { text, parts: splitArn(text) } };
  }

  /** Allows of policies that name no principal. */
  allows(policies: readonly NamedPolicy[], kind: PolicyKind, reason: DecisionReason): Allows {
    let found: Allows = none;
    const ask = (compiled: CompiledStatement, policyName: string) => {
      const allow = this.#holds(compiled) && this.#sort(compiled, reason, policyName);
      if (allow) found = added(found, allow);
    };
    if (policies.length < fewStatements) {
      for (const { name, policy } of policies) {
        for (const compiled of this.#about(indexOf(policy, kind))) ask(compiled, name);
      }
    } else {
      for (const { compiled, name } of this.#about(indexOfList(policies, kind))) {
        ask(compiled, name);
      }
    }
    return found;
  }

  /** Allows of a policy that names principals, by relation. */
  allowsByRelation(
    policy: AttachedPolicy,
    kind: PolicyKind,
    reason: DecisionReason,
    name: string,
  ): Record<Relation, Allows> {
    const found: Record<Relation, Allows> = { direct: none, role: none, account: none };
    const { caller } = this.#request;
    for (const compiled of this.#about(indexOf(policy, kind))) {
      if (!this.#holds(compiled)) continue;
      const relation = relationTo(compiled.statement, caller, policy.principalIds);
      const allow = relation && this.#sort(compiled, reason, name);
      if (relation && allow) found[relation] = added(found[relation], allow);
    }
    return found;
  }

  #about<T>(indexFor: (action: string) => StatementIndex<T>): readonly T[] {
    return indexFor(this.#action).about(this.#subject);
  }

  #holds(compiled: CompiledStatement): boolean {
    return statementHolds(compiled, this.#subject.resource, this.#request.context);
  }

  /** Notes a Deny, answers an Allow. */
  #sort(
    compiled: CompiledStatement,
    reason: DecisionReason,
    policyName: string,
  ): StatementReference | undefined {
    const statement = referTo(compiled, reason, policyName);
    if (compiled.statement.effect === "Allow") return statement;
    this.denies = added(this.denies, { reason, statement });
    return undefined;
  }
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
