import { type DecisionRequest, decide } from "../auth/policy/index.ts";
import type { ConditionValue } from "../kernel/operation.ts";
import type { RecordView } from "../kernel/records.ts";
import type { NotedDenial } from "./denial-log.ts";
import { type ExaminedStatement, examine, isDefaultStatement } from "./examine.ts";
import type { DecidingStatement, Missing } from "./hop.ts";
import { judge } from "./judge.ts";
import { isManaged } from "./keys.ts";

/** Why one call was denied, by the policies that were in force when it was. */
export interface Explanation {
  readonly requestId: string;
  readonly at: string;
  readonly caller: string;
  readonly operation: string;
  readonly action: string;
  readonly resource: string;
  readonly region: string;
  readonly allowed: false;
  readonly code: string;
  /** What the client was told. */
  readonly message: string;
  readonly reason: string;
  readonly statements: readonly DecidingStatement[];
  /** Conditions of statements that decided or nearly allowed, with the request's values. */
  readonly conditions: readonly ExplainedCondition[];
  readonly missing?: Missing;
  /** Where more than one policy has to agree. */
  readonly alsoMissing?: readonly Missing[];
}

export interface ExplainedCondition {
  readonly policyKind: string;
  readonly policyName: string;
  readonly statementIndex: number;
  readonly operator: string;
  readonly key: string;
  readonly wanted: unknown;
  /** null: the request had no such key. */
  readonly value: ConditionValue | null;
  readonly holds: boolean;
}

export async function explain(view: RecordView, denial: NotedDenial): Promise<Explanation> {
  const { requestId, atMs, caller, service, operation, action, resource, region } = denial;
  const { code, message, request } = denial;
  const facts = {
    requestId,
    at: new Date(atMs).toISOString(),
    caller,
    operation: `${service}:${operation}`,
    action,
    resource,
    region,
    allowed: false,
    code,
    message,
  } as const;
  if (!request) return { ...facts, reason: message, statements: [], conditions: [] };
  const verdict = judge(request, { fixedKeyPolicy: await isManaged(view, request) });
  const [missing, ...alsoMissing] = verdict.missing;
  return {
    ...facts,
    reason: verdict.reason,
    statements: verdict.statements,
    conditions: conditionsThatMattered(request),
    ...(missing && { missing }),
    ...(alsoMissing.length > 0 && { alsoMissing }),
  };
}

function conditionsThatMattered(request: DecisionRequest): readonly ExplainedCondition[] {
  const { explicit } = decide(request);
  return examine(request)
    .filter((statement) => !isDefaultStatement(statement) && mattered(statement, explicit))
    .flatMap(({ policyKind, policyName, statementIndex, conditions }) =>
      conditions.map(({ operator, key, wanted, value, holds }) => ({
        ...{ policyKind, policyName, statementIndex, operator, key, wanted },
        value: value ?? null,
        holds,
      })),
    );
}

/** A Deny that matched; else an Allow that only its conditions kept from it. */
function mattered(
  { effect, principal, action, resource, conditions }: ExaminedStatement,
  explicit: boolean,
): boolean {
  if (!principal || !action || !resource) return false;
  const holds = conditions.every((condition) => condition.holds);
  return explicit ? effect === "Deny" && holds : effect === "Allow" && !holds;
}
