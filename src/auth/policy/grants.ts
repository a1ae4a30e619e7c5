import type { StatementReference } from "../../kernel/errors.ts";
import type { DecisionRequest, KeyGrant } from "./decision.ts";
import { readPrincipal, relationOf } from "./principals.ts";

/** AWS: constraints are about the encryption context, which these two do not have. */
const unconstrained = new Set(["describekey", "retiregrant"]);

/** The grants that allow a request. The session's own policy still limits what they give. */
export function grantsAllowing(request: DecisionRequest): readonly StatementReference[] {
  if (request.grants === undefined || request.grants.length === 0) return [];
  const operation = request.action.slice(request.action.indexOf(":") + 1).toLowerCase();
  return request.grants
    .filter((grant) => grant.operations.some((name) => name.toLowerCase() === operation))
    .filter((grant) => isGrantee(grant, request))
    .filter(
      (grant) => unconstrained.has(operation) || constraintsHold(grant, request.encryptionContext),
    )
    .map(({ grantId }) => ({ policyKind: "grant", policyName: grantId, statementIndex: 0 }));
}

function isGrantee(grant: KeyGrant, request: DecisionRequest): boolean {
  const entry = readPrincipal("AWS", grant.granteePrincipal);
  if (entry === undefined || entry.kind === "everyone") return false;
  const { granteePrincipal, granteeId } = grant;
  const ids = granteeId === undefined ? {} : { [granteePrincipal]: granteeId };
  return relationOf(entry, request.caller, ids) !== undefined;
}

/** AWS?: whether the names in constraints depend on case; they do here, which widens nothing. */
function constraintsHold(grant: KeyGrant, context: Readonly<Record<string, string>> = {}): boolean {
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = grant;
  if (equals !== undefined) {
    const exact = Object.keys(context).length === Object.keys(equals).length;
    if (!exact || !contains(context, equals)) return false;
  }
  return subset === undefined || contains(context, subset);
}

function contains(
  context: Readonly<Record<string, string>>,
  pairs: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(pairs).every(
    ([name, value]) => Object.hasOwn(context, name) && context[name] === value,
  );
}
