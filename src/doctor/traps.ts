import { type DecisionReason, type DecisionRequest, decide } from "../auth/policy/index.ts";
import { parseArn } from "../kernel/arn.ts";
import { type ExaminedStatement, isDefaultStatement } from "./examine.ts";
import { titleOf } from "./titles.ts";
import { describeCondition } from "./words.ts";

/**
 * Statements that look as if they allowed a denied request, and why they do not: what people search
 * for hours.
 */
export function nearMisses(
  request: DecisionRequest,
  reason: DecisionReason,
  examined: readonly ExaminedStatement[],
): readonly string[] {
  const texts: string[] = [];
  for (const statement of examined) {
    if (statement.effect === "Deny" || !statement.action || !statement.principal) continue;
    if (isDefaultStatement(statement)) continue;
    const title = titleOf(request, statement);
    if (!statement.resource) {
      const alias = aliasNamed(request, statement);
      if (alias === undefined) continue;
      texts.push(
        `${title} names ${alias}, but an alias ARN in Resource grants no use of the key behind ` +
          `it: name ${request.policyKind === "key" ? "*" : request.resource}`,
      );
      continue;
    }
    const failing = statement.conditions.filter(({ holds }) => !holds);
    if (failing.length === 0) continue;
    texts.push(`${title} would allow it, but ${failing.map(describeCondition).join(" and ")}`);
  }
  if (reason === "key" && identityAlone(request)) {
    texts.push("an identity policy allows it, which has no force without the key policy");
  }
  return texts;
}

/** The ARN of one of the key's aliases that a statement's Resource matches. */
function aliasNamed(
  request: DecisionRequest,
  { statement, policyKind }: ExaminedStatement,
): string | undefined {
  const aliases = request.context["kms:resourcealiases"];
  if (request.service !== "kms" || !Array.isArray(aliases)) return undefined;
  const { Resource } = statement;
  if (Resource === undefined || policyKind === "session") return undefined;
  const text = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource }],
  });
  const key = parseArn(request.resource);
  return aliases
    .map((name) => `arn:${key?.partition}:kms:${key?.region}:${key?.accountId}:${name}`)
    .find((arn) => {
      const { caller, action, service, context } = request;
      const accountId = "accountId" in caller ? caller.accountId : request.resourceAccountId;
      return decide({
        ...{ caller, action, service, context, identity: [], policyKind: "key" },
        resource: arn,
        resourceAccountId: accountId,
        resourcePolicy: { text, principalIds: {} },
      }).allowed;
    });
}

/** Whether the caller's own policies would do, if only the key left it to them. */
function identityAlone(request: DecisionRequest): boolean {
  if (!("accountId" in request.caller)) return false;
  const resourceAccountId = request.caller.accountId;
  const bare = { ...request, resourceAccountId, resourcePolicy: undefined };
  return request.caller.kind !== "root" && decide({ ...bare, policyKind: "resource" }).allowed;
}
