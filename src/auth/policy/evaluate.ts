import type { StatementReference } from "../../kernel/errors.ts";
import type { Decision, DecisionReason, DecisionRequest } from "./decision.ts";
import type { Gathered } from "./gather.ts";
import { gather } from "./gather.ts";
import { grantsAllowing } from "./grants.ts";

/**
 * Decides one request. AWS: deny wins; what nobody allows is denied; boundaries, session policies,
 * endpoint policies and service control policies only limit; a foreign resource needs a yes from
 * both accounts; keys and roles must allow or delegate themselves.
 *
 * Pure, and linear in the statements that can match: about the action, and the resource or caller.
 */
export function decide(request: DecisionRequest): Decision {
  const found = gather(request);
  const denied = explicitDenial(found);
  if (denied !== undefined) return denied;
  if (found.serviceControl.some((level) => level.length === 0)) return deny("service-control");
  if (found.endpoint?.length === 0) return deny("endpoint");
  const { caller, policyKind } = request;
  if (!("accountId" in caller)) return decideWithoutAccount(request, found);
  const own = caller.accountId === request.resourceAccountId;
  if (policyKind === "key") return decideKey(request, found, own);
  if (policyKind === "trust") return decideTrust(request, found, own);
  return decideResource(request, found, own);
}

function allow(reason: DecisionReason, statements: readonly StatementReference[]): Decision {
  return { allowed: true, explicit: false, reason, statements };
}

function deny(reason: DecisionReason): Decision {
  return { allowed: false, explicit: false, reason, statements: [] };
}

function explicitDenial({ denies }: Gathered): Decision | undefined {
  const [first] = denies;
  if (first === undefined) return undefined;
  const statements = denies.map(({ statement }) => statement);
  return { allowed: false, explicit: true, reason: first.reason, statements };
}

/** What the caller's own account says. */
type IdentitySide =
  | { readonly allows: true; readonly statements: readonly StatementReference[] }
  | { readonly allows: false; readonly missing: "identity" | "boundary" | "session" };

function identitySide(request: DecisionRequest, found: Gathered): IdentitySide {
  // AWS: the root user has every right of its account and no boundary.
  if (request.caller.kind === "root") return { allows: true, statements: [] };
  if (found.identity.length === 0) return { allows: false, missing: "identity" };
  const limit = limitMissing(request, found);
  if (limit !== undefined) return { allows: false, missing: limit };
  return { allows: true, statements: found.identity };
}

/** The boundary or session policy that does not allow; undefined: nothing limits. */
function limitMissing(
  request: DecisionRequest,
  found: Gathered,
): "boundary" | "session" | undefined {
  if (found.boundary?.length === 0) return "boundary";
  return sessionAllows(request, found) ? undefined : "session";
}

function sessionAllows(request: DecisionRequest, found: Gathered): boolean {
  if (found.session !== undefined) return found.session.length > 0;
  // AWS: a federated user without session policy has none of the user's rights.
  return request.caller.kind !== "federated-user";
}

/** Services, strangers and token bearers: only the resource's own policy can speak for them. */
function decideWithoutAccount(request: DecisionRequest, { resource }: Gathered): Decision {
  const reason = request.policyKind ?? "resource";
  // AWS: `*` in a trust policy is every *authenticated* principal.
  const stranger = reason === "trust" && request.caller.kind === "anonymous";
  return resource.direct.length > 0 && !stranger ? allow(reason, resource.direct) : deny(reason);
}

function decideResource(request: DecisionRequest, found: Gathered, own: boolean): Decision {
  const { direct, role, account } = found.resource;
  const identity = identitySide(request, found);
  if (!own) {
    const foreign = firstOf(direct, role, account);
    if (foreign.length === 0) return deny("resource");
    if (!identity.allows) return deny(identity.missing);
    return allow("resource", [...identity.statements, ...foreign]);
  }
  if (request.caller.kind === "root") return allow("root", []);
  if (direct.length > 0) return allow("resource", direct);
  const limit = limitMissing(request, found);
  if (role.length > 0 && limit === undefined) return allow("resource", role);
  if (identity.allows) return allow("identity", identity.statements);
  return deny(role.length > 0 && limit !== undefined ? limit : identity.missing);
}

function decideKey(request: DecisionRequest, found: Gathered, own: boolean): Decision {
  const { direct, role, account } = found.resource;
  const identity = identitySide(request, found);
  // AWS?: whether a session policy limits a grant; it does here, which is the stricter reading.
  const grants = sessionAllows(request, found) ? grantsAllowing(request) : [];
  if (!own) {
    const foreign = firstOf(direct, role, account, grants);
    if (foreign.length === 0) return deny("key");
    if (!identity.allows) return deny(identity.missing);
    const reason = foreign === grants ? "grant" : "key";
    return allow(reason, [...identity.statements, ...foreign]);
  }
  if (direct.length > 0) return allow("key", direct);
  const limit = limitMissing(request, found);
  if (role.length > 0 && limit === undefined) return allow("key", role);
  if (account.length > 0 && identity.allows) {
    return allow("identity", [...identity.statements, ...account]);
  }
  if (grants.length > 0) return allow("grant", grants);
  if (role.length > 0 && limit !== undefined) return deny(limit);
  return deny(account.length > 0 && !identity.allows ? identity.missing : "key");
}

function decideTrust(request: DecisionRequest, found: Gathered, own: boolean): Decision {
  const { direct, role, account } = found.resource;
  // AWS: roles may not be assumed by root accounts.
  if (request.caller.kind === "root") return deny("trust");
  const identity = identitySide(request, found);
  if (!own) {
    const foreign = firstOf(direct, role, account);
    if (foreign.length === 0) return deny("trust");
    if (!identity.allows) return deny(identity.missing);
    return allow("trust", [...identity.statements, ...foreign]);
  }
  if (direct.length > 0) return allow("trust", direct);
  const limit = limitMissing(request, found);
  if (role.length > 0 && limit === undefined) return allow("trust", role);
  if (account.length > 0 && identity.allows) {
    return allow("identity", [...identity.statements, ...account]);
  }
  if (role.length > 0 && limit !== undefined) return deny(limit);
  return deny(account.length > 0 && !identity.allows ? identity.missing : "trust");
}

/** The first list that has a statement in it: the strongest way in which a policy allows. */
function firstOf(
  ...lists: readonly (readonly StatementReference[])[]
): readonly StatementReference[] {
  return lists.find((list) => list.length > 0) ?? [];
}
