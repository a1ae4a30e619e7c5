import {
  type Decision,
  type DecisionReason,
  type DecisionRequest,
  decide,
} from "../auth/policy/index.ts";
import type { StatementReference } from "../kernel/errors.ts";
import { type ExaminedStatement, examine } from "./examine.ts";
import type { DecidingStatement, Verdict } from "./hop.ts";
import { type PrescribeOptions, prescribe } from "./prescribe.ts";
import { statementAt } from "./statements.ts";
import { titleOf } from "./titles.ts";
import { nearMisses } from "./traps.ts";
import { describeCondition, nameOf } from "./words.ts";

/** Decides a supposed request and says why, what decided, and what is missing. */
export function judge(request: DecisionRequest, options: PrescribeOptions = {}): Verdict {
  const decision = decide(request);
  return {
    allowed: decision.allowed,
    reason: reasonOf(request, decision),
    statements: decision.statements.map((reference) => shownStatement(request, reference)),
    missing: decision.allowed ? [] : prescribe(request, options),
  };
}

function shownStatement(
  request: DecisionRequest,
  reference: StatementReference,
): DecidingStatement {
  const { policyKind, policyName, statementIndex, sid } = reference;
  const statement = statementAt(request, reference);
  return {
    policyKind,
    policyName,
    statementIndex,
    ...(sid !== undefined && { sid }),
    ...(statement && { statement }),
  };
}

function reasonOf(request: DecisionRequest, decision: Decision): string {
  if (decision.allowed) return `${allowedBy(request, decision)}${httpsOnly(request)}`;
  if (decision.explicit) return explicitReason(request, decision);
  const traps = nearMisses(request, decision.reason, examine(request));
  return [`${subject(request)}: ${implicitReason(request, decision.reason)}`, ...traps].join("; ");
}

function subject({ caller, action, context }: DecisionRequest): string {
  const via = context["kms:viaservice"];
  const way = typeof via === "string" ? ` through ${via}` : "";
  return `${nameOf(caller)} may not ${action}${way}`;
}

function allowedBy(request: DecisionRequest, { reason, statements }: Decision): string {
  const name = nameOf(request.caller);
  if (reason === "root") return `${name} is root of the resource's account`;
  const named = statements.map((reference) => titleOf(request, reference));
  return `${name} is allowed by ${named.join(" and ")}`;
}

function explicitReason(request: DecisionRequest, { statements }: Decision): string {
  const examined = examine(request);
  const parts = statements.map((reference) => {
    const title = titleOf(request, reference);
    if (reference.statementIndex < 0) return `${title} cannot be read, so it denies`;
    const conditions = matchingStatement(examined, reference)?.conditions ?? [];
    const why = conditions.map(describeCondition);
    return why.length === 0 ? title : `${title} (because ${why.join(", ")})`;
  });
  const verb = parts.length > 1 ? "they must go" : "it must go";
  return (
    `${subject(request)}: explicitly denied by ${parts.join(" and ")}; no Allow beats that, ` +
    `${verb} or spare this request`
  );
}

function matchingStatement(
  examined: readonly ExaminedStatement[],
  { policyKind, policyName, statementIndex }: StatementReference,
): ExaminedStatement | undefined {
  return examined.find(
    (one) =>
      one.policyKind === policyKind &&
      one.policyName === policyName &&
      one.statementIndex === statementIndex,
  );
}

const lacking: Readonly<Record<DecisionReason, string>> = {
  identity: "no identity policy allows it",
  resource: "the policy of the resource does not allow it",
  key: "the key policy neither allows it nor leaves it to identity policies",
  trust: "the role does not trust the caller",
  boundary: "the permissions boundary does not allow it",
  session: "the session policy does not allow it",
  endpoint: "the policy of the private endpoint does not allow it",
  "service-control": "a service control policy does not allow it",
  grant: "no grant allows it",
  root: "only root may",
};

function implicitReason(request: DecisionRequest, reason: DecisionReason): string {
  if (reason === "key" && request.caller.kind === "service") {
    return "the key policy does not allow it";
  }
  if (reason !== "resource") return lacking[reason];
  const place = request.service === "sns" ? "topic" : "queue";
  return `the ${place} policy does not allow it`;
}

/** A policy may refuse plain HTTP to whom it allows HTTPS; who asks with HTTPS must know. */
function httpsOnly(request: DecisionRequest): string {
  const { context } = request;
  if (context["aws:securetransport"] !== true || isInside(request)) return "";
  const plain = decide({ ...request, context: { ...context, "aws:securetransport": false } });
  if (plain.allowed) return "";
  const [first] = plain.statements;
  return first ? `; HTTPS only, by ${titleOf(request, first)}` : "; HTTPS only";
}

/** A hop between services has no transport that a client chose. */
function isInside({ caller, context }: DecisionRequest): boolean {
  return caller.kind === "service" || context["kms:viaservice"] !== undefined;
}
