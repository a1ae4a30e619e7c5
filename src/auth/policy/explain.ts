import type { Decision, DecisionReason, DecisionRequest } from "./decision.ts";

/** AWS: how each kind of policy is called in AccessDenied texts. */
const policyNames: Readonly<Record<DecisionReason, string>> = {
  identity: "identity-based policy",
  resource: "resource-based policy",
  key: "resource-based policy",
  trust: "role trust policy",
  boundary: "permissions boundary",
  session: "session policy",
  endpoint: "VPC endpoint policy",
  "service-control": "service control policy",
  grant: "grant",
  root: "policy",
};

/** AWS: a key of another account looks the same whether it denies or does not exist. */
const foreignKeyText =
  "because the resource does not exist in this Region, no resource-based policies allow access, " +
  "or a resource-based policy explicitly denies access";

/**
 * The AccessDenied text of a denial. `printedAction` has the casing of the service
 * (`sqs:sendmessage`, `SNS:Publish`); `callerName` is `callerName(caller)`.
 */
export function denialText(
  decision: Decision,
  request: DecisionRequest,
  printedAction: string,
  callerName: string,
): string {
  const on = request.resource === "*" ? "" : ` on resource: ${request.resource}`;
  const subject = `User: ${callerName} is not authorized to perform: ${printedAction}${on}`;
  return `${subject} ${reasonText(decision, request, printedAction)}`;
}

function reasonText(decision: Decision, request: DecisionRequest, printedAction: string): string {
  const { reason, explicit } = decision;
  if (reason === "key" && isForeign(request)) return foreignKeyText;
  const name = policyNames[reason];
  if (!explicit) return `because no ${name} allows the ${printedAction} action`;
  if (reason === "trust") return `with an explicit deny in the ${name}`;
  return `with an explicit deny in ${reason === "identity" ? "an" : "a"} ${name}`;
}

function isForeign({ caller, resourceAccountId }: DecisionRequest): boolean {
  return "accountId" in caller && caller.accountId !== resourceAccountId;
}
