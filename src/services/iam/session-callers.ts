import type { AccountCaller, Session } from "../../kernel/caller.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { OpenedSession, SessionClaims } from "../../kernel/session.ts";
import { federatedUserArn, roleArn, roleSessionArn } from "./role-arns.ts";
import {
  accountScope,
  accounts,
  installation,
  type RoleRecord,
  roles,
  type UserRecord,
  users,
} from "./store.ts";
import { mergedTagsOf } from "./tags.ts";
import { rootArn, userArn } from "./users.ts";

/** The record that a session stands on, and the caller made from both. */
const known = new WeakMap<object, { readonly basis: object; readonly caller: AccountCaller }>();

/**
 * Who a session is now. undefined: its role or user is gone (also when one of the same name was
 * made again), or root's credentials were replaced meanwhile.
 */
export async function sessionCaller(
  view: RecordView,
  accessKeyId: string,
  opened: OpenedSession,
): Promise<AccountCaller | undefined> {
  const basis = await basisOf(view, opened.claims);
  if (basis === undefined) return undefined;
  const cached = known.get(opened);
  if (cached && cached.basis === basis.record) return cached.caller;
  const caller = callerOf(accessKeyId, opened, basis);
  known.set(opened, { basis: basis.record, caller });
  return caller;
}

type Basis =
  | { readonly kind: "role"; readonly record: Readonly<RoleRecord> }
  | { readonly kind: "user"; readonly record: Readonly<UserRecord> }
  | { readonly kind: "root"; readonly record: object };

async function basisOf(view: RecordView, claims: SessionClaims): Promise<Basis | undefined> {
  const { holder, accountId, issuedMs } = claims;
  const scope = accountScope(accountId);
  if (holder.kind === "role") {
    const record = await roles.get(view, scope, holder.key);
    return record?.roleId === holder.roleId ? { kind: "role", record } : undefined;
  }
  const user = holder.kind === "user" ? holder : holder.kind === "federated" && holder.parent;
  if (user) {
    const record = await users.get(view, scope, user.key);
    return record?.userId === user.userId ? { kind: "user", record } : undefined;
  }
  const record = await accounts.get(view, installation, accountId);
  if (!record || issuedMs < (record.rootSessionsAfterMs ?? 0)) return undefined;
  return { kind: "root", record };
}

function callerOf(accessKeyId: string, opened: OpenedSession, basis: Basis): AccountCaller {
  const { claims } = opened;
  const { accountId, holder } = claims;
  const session = sessionOf(opened);
  const shared = { accountId, accessKeyId, session };
  if (holder.kind === "role" && basis.kind === "role") {
    const { roleName, roleId, tags } = basis.record;
    const { sessionName } = holder;
    return {
      ...shared,
      kind: "role-session",
      arn: roleSessionArn(accountId, roleName, sessionName),
      principalId: `${roleId}:${sessionName}`,
      roleArn: roleArn(basis.record),
      roleName,
      roleId,
      sessionName,
      tags: mergedTagsOf(tags, session.tags),
    };
  }
  const user = basis.kind === "user" ? basis.record : undefined;
  if (holder.kind === "federated") {
    return {
      ...shared,
      kind: "federated-user",
      arn: federatedUserArn(accountId, holder.name),
      principalId: `${accountId}:${holder.name}`,
      name: holder.name,
      parentId: user?.userId ?? accountId,
      parentArn: user ? userArn(user) : rootArn(accountId),
      parentName: user?.userName,
      tags: mergedTagsOf(user?.tags ?? {}, session.tags),
    };
  }
  if (user) {
    const { userName, userId: principalId, tags } = user;
    return { ...shared, kind: "user", arn: userArn(user), principalId, userName, tags };
  }
  return { ...shared, kind: "root", arn: rootArn(accountId), principalId: accountId };
}

function sessionOf({ claims, digest }: OpenedSession): Session {
  return {
    issuedMs: claims.issuedMs,
    policy: claims.policy,
    policyArns: claims.policyArns ?? [],
    tags: claims.tags ?? {},
    transitiveTagKeys: claims.transitiveTagKeys ?? [],
    sourceIdentity: claims.sourceIdentity,
    federatedProvider: claims.federatedProvider,
    digest,
  };
}
