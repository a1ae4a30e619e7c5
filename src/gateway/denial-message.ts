import { parseArn } from "../kernel/arn.ts";
import { type Caller, callerAccountId, callerName } from "../kernel/caller.ts";
import type { Denial } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";

/**
 * What sts:DecodeAuthorizationMessage tells of a denial, in AWS's form. Statements of another
 * account's policies stay that account's affair.
 */
export function denialMessage(caller: Caller, denial: Denial): Json {
  const { action, resource, explicit, statements } = denial;
  const owner = parseArn(resource)?.accountId ?? "";
  const own = owner === "" || owner === callerAccountId(caller);
  return {
    allowed: false,
    explicitDeny: explicit,
    matchedStatements: {
      items: (own ? statements : []).map(({ policyKind, policyName, statementIndex, sid }) => ({
        statementId: sid ?? "",
        effect: "DENY",
        policyKind,
        policyName,
        statementIndex,
      })),
    },
    failures: { items: [] },
    context: {
      principal: {
        id: "principalId" in caller ? caller.principalId : callerName(caller),
        arn: callerName(caller),
      },
      action,
      resource,
      conditions: { items: [] },
    },
  };
}
