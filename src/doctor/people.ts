import { formatArn, parseArn } from "../kernel/arn.ts";
import type { Caller, ServicePrincipal } from "../kernel/caller.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { RecordView } from "../kernel/records.ts";
import { roleArn, roleSessionArn } from "../services/iam/role-arns.ts";
import {
  accountScope,
  accounts,
  installation,
  type RoleRecord,
  roles,
  type UserRecord,
  userKeyOf,
  users,
} from "../services/iam/store.ts";
import { rootArn, userArn } from "../services/iam/users.ts";
import { supposedSession } from "./words.ts";

/**
 * Who an ARN or service name is, as a caller: a user, an account's root, a role or a session of
 * one, or a service (`s3.amazonaws.com`). undefined: nobody.
 */
export async function personOf(
  view: RecordView,
  name: string,
  nowMs: EpochMs,
  source: { readonly arn: string; readonly accountId: string },
): Promise<Caller | undefined> {
  if (/^[a-z0-9-]+\.amazonaws\.com$/.test(name)) {
    const service = name as ServicePrincipal;
    return { kind: "service", service, sourceArn: source.arn, sourceAccountId: source.accountId };
  }
  const arn = parseArn(name);
  if (!arn) return undefined;
  const { accountId, resource } = arn;
  if (!(await accounts.get(view, installation, accountId))) return undefined;
  if (arn.service === "iam" && resource === "root") return rootOf(accountId);
  const scope = accountScope(accountId);
  const [kind, ...path] = resource.split("/");
  const last = path.at(-1) ?? "";
  if (arn.service === "iam" && kind === "user") {
    const user = await users.get(view, scope, userKeyOf(last));
    return user && userArn(user) === name ? callerOfUser(user) : undefined;
  }
  const session = arn.service === "sts" && kind === "assumed-role";
  if (!session && !(arn.service === "iam" && kind === "role")) return undefined;
  const role = await roles.get(view, scope, userKeyOf(session ? (path[0] ?? "") : last));
  if (!role) return undefined;
  if (session) return path.length === 2 ? callerOfRole(role, nowMs, last) : undefined;
  return roleArn(role) === name ? callerOfRole(role, nowMs, supposedSession) : undefined;
}

export function rootOf(accountId: string): Caller {
  const arn = rootArn(accountId);
  return { kind: "root", accountId, arn, principalId: accountId, accessKeyId: "" };
}

/** Every IAM user of an account. */
async function usersOf(view: RecordView, accountId: string): Promise<readonly Caller[]> {
  const found = await users.list(view, accountScope(accountId));
  return found.map(({ value }) => callerOfUser(value));
}

/** A session of every role of an account. */
export async function rolesOf(
  view: RecordView,
  accountId: string,
  nowMs: EpochMs,
): Promise<readonly { readonly role: Readonly<RoleRecord>; readonly caller: Caller }[]> {
  const found = await roles.list(view, accountScope(accountId));
  return found.map(({ value: role }) => ({
    role,
    caller: callerOfRole(role, nowMs, supposedSession),
  }));
}

/** Every user of an account, then a session of every role. */
export async function peopleOf(
  view: RecordView,
  accountId: string,
  nowMs: EpochMs,
): Promise<readonly Caller[]> {
  const found = await rolesOf(view, accountId, nowMs);
  return [...(await usersOf(view, accountId)), ...found.map(({ caller }) => caller)];
}

function callerOfUser(user: Readonly<UserRecord>): Caller {
  const { accountId, userId: principalId, userName, tags } = user;
  const arn = userArn(user);
  return { kind: "user", accountId, arn, principalId, accessKeyId: "", userName, tags };
}

function callerOfRole(role: Readonly<RoleRecord>, nowMs: EpochMs, sessionName: string): Caller {
  const { accountId, roleName, roleId, tags } = role;
  return {
    kind: "role-session",
    accountId,
    arn: roleSessionArn(accountId, roleName, sessionName),
    principalId: `${roleId}:${sessionName}`,
    accessKeyId: "",
    roleArn: roleArn(role),
    roleName,
    roleId,
    sessionName,
    tags,
    session: {
      issuedMs: nowMs,
      policy: undefined,
      policyArns: [],
      tags: {},
      transitiveTagKeys: [],
      sourceIdentity: undefined,
      federatedProvider: undefined,
      digest: "",
    },
  };
}

/** ARN of a service's source that is made up: one that is not known better. */
export function supposedSourceArn(service: string, region: string, accountId: string): string {
  const name = service.replace(/\.amazonaws\.com$/, "");
  return formatArn(name, region, accountId, "doctor");
}
