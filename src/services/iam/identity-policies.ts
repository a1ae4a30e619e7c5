import type { AccountCaller, Session } from "../../kernel/caller.ts";
import type {
  AttachedPolicy,
  IdentityPolicies,
  IdentitySide,
  NamedPolicy,
} from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import { allSoon, type Soon, soon } from "../../kernel/soon.ts";
import { findManagedPolicy } from "./managed-policies.ts";
import {
  accountScope,
  type GroupRecord,
  groups,
  nameKey,
  type RoleRecord,
  roles,
  type UserRecord,
  users,
} from "./store.ts";

/**
 * Everything that the caller's own account says about it: inline and managed policies of the user
 * and its groups or of the role, the boundary, and what limits its session. The root user has
 * none: it needs none.
 */
export const identityPolicies: IdentityPolicies = {
  of(view, caller) {
    if (caller.kind === "service" || caller.kind === "anonymous") return nothing;
    const { session, accountId } = caller;
    const own = ownSide(view, caller);
    return session === undefined
      ? own
      : soon(own, (side) => withSession(view, accountId, side, session));
  },
};

const nothing: IdentitySide = { identity: [] };

async function withSession(
  view: RecordView,
  accountId: string,
  own: IdentitySide,
  session: Session,
): Promise<IdentitySide> {
  const limits = await sessionPolicies(view, accountId, session);
  return limits.length === 0 ? own : { ...own, session: limits };
}

function ownSide(view: RecordView, caller: AccountCaller): Soon<IdentitySide> {
  const scope = accountScope(caller.accountId);
  switch (caller.kind) {
    case "root":
      return nothing;
    case "user":
      return soon(users.get(view, scope, nameKey(caller.userName)), (user) =>
        user?.userId === caller.principalId ? remembered(view, user, userSide) : nothing,
      );
    case "role-session":
      return soon(roles.get(view, scope, nameKey(caller.roleName)), (role) =>
        role?.roleId === caller.roleId ? remembered(view, role, roleSide) : nothing,
      );
    case "federated-user":
      if (caller.parentName === undefined) return rootSide;
      return soon(users.get(view, scope, nameKey(caller.parentName)), (user) =>
        user?.userId === caller.parentId ? remembered(view, user, userSide) : nothing,
      );
  }
}

type Principal = Readonly<UserRecord> | Readonly<RoleRecord>;

/** Of each user or role, as of a version of its account. Everything it is put together of is there. */
const sides = new WeakMap<Principal, { readonly version: number; readonly side: IdentitySide }>();

/**
 * Puts a side together once for each version of the account: with many policies and groups that
 * takes longer than the decision.
 */
function remembered<P extends Principal>(
  view: RecordView,
  principal: P,
  make: (view: RecordView, principal: P) => Soon<IdentitySide>,
): Soon<IdentitySide> {
  const version = view.versionOf(principal.accountId);
  const known = sides.get(principal);
  if (known !== undefined && known.version === version) return known.side;
  return soon(make(view, principal), (side) => {
    if (version !== undefined) sides.set(principal, { version, side });
    return side;
  });
}

function roleSide(view: RecordView, role: Readonly<RoleRecord>): Soon<IdentitySide> {
  return sideOf(view, role, role.policies);
}

/** A federated user whose parent is root has whatever its session policy allows. */
const rootSide: IdentitySide = {
  identity: [
    {
      name: "root",
      policy: Object.freeze({
        text: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
        }),
        principalIds: {},
      }),
    },
  ],
};

function userSide(view: RecordView, user: Readonly<UserRecord>): Soon<IdentitySide> {
  if (user.groups.length === 0) return sideOf(view, user, user.policies);
  const scope = accountScope(user.accountId);
  const found = allSoon(user.groups.map((key) => groups.get(view, scope, key)));
  const ofGroups = soon(found, (all) =>
    allSoon(all.filter((group) => group !== undefined).map((group) => groupPolicies(view, group))),
  );
  return soon(ofGroups, (policies) => sideOf(view, user, [...user.policies, ...policies.flat()]));
}

function groupPolicies(
  view: RecordView,
  group: Readonly<GroupRecord>,
): Soon<readonly NamedPolicy[]> {
  const attached = managed(view, group.accountId, group.attached);
  return soon(attached, (policies) => [...group.policies, ...policies]);
}

function sideOf(
  view: RecordView,
  { accountId, attached, boundary }: Principal,
  inline: readonly NamedPolicy[],
): Soon<IdentitySide> {
  if (attached.length === 0 && boundary === undefined) return { identity: inline };
  return soon(managed(view, accountId, attached), (policies) => {
    const identity = [...inline, ...policies];
    if (boundary === undefined) return { identity };
    return soon(limit(view, accountId, boundary), (found) => ({ identity, boundary: found }));
  });
}

/** Attached policies that exist; one cannot be deleted while it is attached. */
function managed(
  view: RecordView,
  accountId: string,
  arns: readonly string[],
): Soon<readonly NamedPolicy[]> {
  const found = allSoon(arns.map((arn) => findManagedPolicy(view, accountId, arn)));
  return soon(found, (all) =>
    all.flatMap((one) => (one ? [{ name: one.arn, policy: one.inForce }] : [])),
  );
}

/** INVARIANT: a limit that is gone allows nothing; it never becomes no limit. */
function limit(view: RecordView, accountId: string, arn: string): Soon<NamedPolicy> {
  return soon(findManagedPolicy(view, accountId, arn), (found) => {
    return { name: arn, policy: found?.inForce ?? allowsNothing };
  });
}

const allowsNothing: AttachedPolicy = Object.freeze({
  text: JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", NotAction: "*", Resource: "*" }],
  }),
  principalIds: Object.freeze({}),
});

/** Compiled forms hang on policy objects, so a session keeps its own. */
const inlineOf = new WeakMap<Session, NamedPolicy>();

/** AWS?: managed session policies as they are now, not as they were when the session began. */
async function sessionPolicies(
  view: RecordView,
  accountId: string,
  session: Session,
): Promise<readonly NamedPolicy[]> {
  const limits = await Promise.all(session.policyArns.map((arn) => limit(view, accountId, arn)));
  if (session.policy === undefined) return limits;
  let inline = inlineOf.get(session);
  if (inline === undefined) {
    const policy = Object.freeze({ text: session.policy, principalIds: {} });
    inline = { name: "session", policy };
    inlineOf.set(session, inline);
  }
  return [inline, ...limits];
}
