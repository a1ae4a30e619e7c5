import type { AccountCaller, Session } from "../../kernel/caller.ts";
import type {
  AttachedPolicy,
  IdentityPolicies,
  IdentitySide,
  NamedPolicy,
} from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
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
  async of(view, caller) {
    if (caller.kind === "service" || caller.kind === "anonymous") return nothing;
    const own = await ownSide(view, caller);
    const { session } = caller;
    if (session === undefined) return own;
    const limits = await sessionPolicies(view, caller.accountId, session);
    return limits.length === 0 ? own : { ...own, session: limits };
  },
};

const nothing: IdentitySide = { identity: [] };

async function ownSide(view: RecordView, caller: AccountCaller): Promise<IdentitySide> {
  const scope = accountScope(caller.accountId);
  switch (caller.kind) {
    case "root":
      return nothing;
    case "user": {
      const user = await users.get(view, scope, nameKey(caller.userName));
      return user?.userId === caller.principalId ? userSide(view, user) : nothing;
    }
    case "role-session": {
      const role = await roles.get(view, scope, nameKey(caller.roleName));
      return role?.roleId === caller.roleId ? sideOf(view, role, role.policies) : nothing;
    }
    case "federated-user": {
      if (caller.parentName === undefined) return rootSide;
      const user = await users.get(view, scope, nameKey(caller.parentName));
      return user?.userId === caller.parentId ? userSide(view, user) : nothing;
    }
  }
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

async function userSide(view: RecordView, user: Readonly<UserRecord>): Promise<IdentitySide> {
  if (user.groups.length === 0) return sideOf(view, user, user.policies);
  const scope = accountScope(user.accountId);
  const found = await Promise.all(user.groups.map((key) => groups.get(view, scope, key)));
  const ofGroups = await Promise.all(
    found.filter((group) => group !== undefined).map((group) => groupPolicies(view, group)),
  );
  return sideOf(view, user, [...user.policies, ...ofGroups.flat()]);
}

async function groupPolicies(
  view: RecordView,
  group: Readonly<GroupRecord>,
): Promise<readonly NamedPolicy[]> {
  return [...group.policies, ...(await managed(view, group.accountId, group.attached))];
}

async function sideOf(
  view: RecordView,
  { accountId, attached, boundary }: Readonly<UserRecord> | Readonly<RoleRecord>,
  inline: readonly NamedPolicy[],
): Promise<IdentitySide> {
  const identity =
    attached.length === 0 ? inline : [...inline, ...(await managed(view, accountId, attached))];
  if (boundary === undefined) return { identity };
  return { identity, boundary: await limit(view, accountId, boundary) };
}

/** Attached policies that exist; one cannot be deleted while it is attached. */
async function managed(
  view: RecordView,
  accountId: string,
  arns: readonly string[],
): Promise<readonly NamedPolicy[]> {
  const found = await Promise.all(arns.map((arn) => findManagedPolicy(view, accountId, arn)));
  return found.flatMap((one) => (one ? [{ name: one.arn, policy: one.inForce }] : []));
}

/** INVARIANT: a limit that is gone allows nothing; it never becomes no limit. */
async function limit(view: RecordView, accountId: string, arn: string): Promise<NamedPolicy> {
  const found = await findManagedPolicy(view, accountId, arn);
  return { name: arn, policy: found?.inForce ?? allowsNothing };
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
