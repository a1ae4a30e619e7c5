/** The policy engine as others see it. */
export type { CheckedPolicy, PolicyRules, ResolvedPolicy } from "./check.ts";
export { checkPolicy, resolvePrincipalIds } from "./check.ts";
export type { ContextFacts, EndpointFacts, SessionFacts } from "./context.ts";
export { globalContext } from "./context.ts";
export type { Decision, DecisionReason, DecisionRequest, KeyGrant } from "./decision.ts";
export type { PolicyDocument, PolicyKind, Statement } from "./document.ts";
export { parsePolicy } from "./document.ts";
export { PolicyError } from "./errors.ts";
export { decide } from "./evaluate.ts";
export { denialText } from "./explain.ts";
export { positionOf } from "./json.ts";
export { namedKeys } from "./named-keys.ts";
export type {
  FederatedUserCaller,
  PolicyCaller,
  PrincipalEntry,
  RoleSessionCaller,
  WebIdentityCaller,
} from "./principals.ts";
