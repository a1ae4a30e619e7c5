import type { Role, RoleLastUsed } from "@aws-sdk/client-iam";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { Json } from "../../kernel/json.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { Soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { AccessKeyUsage } from "./dependencies.ts";
import { encodedDocument } from "./policies.ts";
import { noSuchEntity, unmodifiable } from "./refusals.ts";
import { roleArn } from "./role-arns.ts";
import { accountScope, nameKey, type RoleRecord, roles } from "./store.ts";
import { shownTags, tagContext } from "./tags.ts";
import { shownTrust } from "./trust.ts";
import { auditDate, shownBoundary } from "./users.ts";

export const roleResourceType = "AWS::IAM::Role";

export function findRole(call: Call, roleName: string): Soon<Readonly<RoleRecord> | undefined> {
  return roles.get(call.records, accountScope(call.accountId), nameKey(roleName));
}

/** Throws NoSuchEntity. */
export async function requireRole(call: Call, roleName: string): Promise<Readonly<RoleRecord>> {
  const role = await findRole(call, roleName);
  if (!role) throw noSuchEntity(`The role with name ${roleName} cannot be found.`);
  return role;
}

/** A role to change. Throws NoSuchEntity, UnmodifiableEntity. */
export async function requireOwnRole(call: Call, roleName: string): Promise<Readonly<RoleRecord>> {
  const role = await requireRole(call, roleName);
  if (role.linkedService !== undefined) throw unmodifiable(role.roleName);
  return role;
}

export function putRole(role: RoleRecord): Command {
  return roles.put(accountScope(role.accountId), nameKey(role.roleName), role);
}

/** A role as the thing to authorise; one that is not there, by the ARN it would have. */
export async function roleUse(
  call: Call,
  roleName: string,
  options: { readonly action?: string; readonly context?: ConditionContext } = {},
): Promise<ResourceUse> {
  const role = await findRole(call, roleName);
  const { accountId } = call;
  const { context, ...rest } = options;
  return {
    arn: roleArn(role ?? { accountId, path: "/", roleName }),
    accountId,
    ...(role && { tags: role.tags }),
    type: roleResourceType,
    context: { ...tagContext(role?.tags ?? {}), ...context },
    ...rest,
  };
}

/** A role as lists show it. AWS: they leave out tags and boundary. */
export async function listedRole(call: Call, role: Readonly<RoleRecord>): Promise<Wire<Role>> {
  const document = await shownTrust(call.records, role.trust);
  return {
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: roleArn(role),
    CreateDate: role.createdMs,
    AssumeRolePolicyDocument: encodedDocument(document),
    ...(role.description !== undefined && { Description: role.description }),
    MaxSessionDuration: role.maxSessionSeconds,
  };
}

/** A role as GetRole shows it. */
export async function shownRole(call: Call, role: Readonly<RoleRecord>): Promise<Wire<Role>> {
  return {
    ...(await listedRole(call, role)),
    ...shownBoundary(role.boundary),
    ...shownTags(role.tags),
  };
}

/** AWS: uses are told for 400 days. */
const useShownMs = 400 * 86_400_000;

/** When a session of the role last called, and where; empty for a role that nobody used. */
export async function shownRoleUse(
  usage: AccessKeyUsage,
  call: Call,
  role: Readonly<RoleRecord>,
): Promise<{ readonly RoleLastUsed: Wire<RoleLastUsed> }> {
  const use = await usage.lastUsed(call.records, role.roleId);
  if (!use || call.now - use.atMs > useShownMs) return { RoleLastUsed: {} };
  return { RoleLastUsed: { LastUsedDate: use.atMs, Region: use.region } };
}

/** AWS: the answers that make a role leave out MaxSessionDuration. */
export async function createdRole(call: Call, role: Readonly<RoleRecord>): Promise<Wire<Role>> {
  const { MaxSessionDuration: _, ...shown } = await shownRole(call, role);
  return shown as Wire<Role>;
}

/** A role in the answer of an audit record. */
export function auditedRole(role: Wire<Role> | undefined): Json {
  if (!role) return null;
  return {
    path: role.Path,
    roleName: role.RoleName,
    roleId: role.RoleId,
    arn: role.Arn,
    createDate: auditDate(role.CreateDate),
    assumeRolePolicyDocument: role.AssumeRolePolicyDocument ?? null,
  };
}
