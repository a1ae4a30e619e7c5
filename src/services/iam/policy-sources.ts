import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
import { findGroup, groupArn } from "./groups.ts";
import { findManagedPolicy } from "./managed-policies.ts";
import { invalidInput, noSuchEntity } from "./refusals.ts";
import { roleArn } from "./role-arns.ts";
import { findRole } from "./roles.ts";
import type { SimulatedCaller } from "./simulated-caller.ts";
import type { GroupRecord, RoleRecord, UserRecord } from "./store.ts";
import { findUser, userArn } from "./users.ts";

/** A policy under the name by which the simulator reports it. */
export interface SourcePolicy {
  readonly sourceId: string;
  readonly policy: AttachedPolicy;
}

/** What a user, group or role has, for the simulator. */
export interface PolicySource {
  readonly policies: readonly SourcePolicy[];
  readonly boundary: SourcePolicy | undefined;
  readonly caller: SimulatedCaller;
}

/** Throws NoSuchEntity, InvalidInput. */
export async function policySource(call: Call, arn: string): Promise<PolicySource> {
  const parsed = parseArn(arn);
  const name = parsed?.resource.slice(parsed.resource.lastIndexOf("/") + 1) ?? "";
  const kind = parsed?.service === "iam" ? parsed.resource.split("/", 1)[0] : undefined;
  const known = parsed?.accountId === call.accountId;
  if (kind === "user") {
    const user = known ? await findUser(call, name) : undefined;
    if (user && userArn(user) === arn) return ofUser(call, user, arn);
  } else if (kind === "role") {
    const role = known ? await findRole(call, name) : undefined;
    if (role && roleArn(role) === arn) return ofRole(call, role, arn);
  } else if (kind === "group") {
    const group = known ? await findGroup(call, name) : undefined;
    if (group && groupArn(group) === arn) return ofGroup(call, group, arn);
  } else {
    throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  }
  throw noSuchEntity(`No such entity found for arn ${arn}`);
}

async function ofUser(call: Call, user: Readonly<UserRecord>, arn: string): Promise<PolicySource> {
  const { userName, userId: principalId, accountId, tags } = user;
  const groups = await Promise.all(user.groups.map((key) => findGroup(call, key)));
  const ofGroups = await Promise.all(
    groups.map(async (group) => (group ? groupPolicies(call, group) : [])),
  );
  return {
    policies: [
      ...inline("user", userName, user.policies),
      ...(await managed(call, user.attached)),
      ...ofGroups.flat(),
    ],
    boundary: await boundaryOf(call, user.boundary),
    caller: { kind: "user", accountId, arn, principalId, accessKeyId: "", userName, tags },
  };
}

async function ofRole(call: Call, role: Readonly<RoleRecord>, arn: string): Promise<PolicySource> {
  const { roleName, roleId, accountId, tags } = role;
  return {
    policies: [...inline("role", roleName, role.policies), ...(await managed(call, role.attached))],
    boundary: await boundaryOf(call, role.boundary),
    caller: {
      kind: "role-session",
      accountId,
      arn,
      roleArn: arn,
      roleId,
      sessionName: roleName,
      principalId: `${roleId}:${roleName}`,
      accessKeyId: "",
      tags,
    },
  };
}

async function ofGroup(
  call: Call,
  group: Readonly<GroupRecord>,
  arn: string,
): Promise<PolicySource> {
  const { groupName, groupId: principalId, accountId } = group;
  return {
    policies: await groupPolicies(call, group),
    boundary: undefined,
    // Some member of the group, whoever that is.
    caller: {
      kind: "user",
      accountId,
      arn,
      principalId,
      accessKeyId: "",
      userName: groupName,
      tags: {},
    },
  };
}

async function groupPolicies(
  call: Call,
  group: Readonly<GroupRecord>,
): Promise<readonly SourcePolicy[]> {
  const own = inline("group", group.groupName, group.policies);
  return [...own, ...(await managed(call, group.attached))];
}

/** AWS: `user_bob_name-of-policy`. */
function inline(
  kind: string,
  owner: string,
  policies: readonly NamedPolicy[],
): readonly SourcePolicy[] {
  return policies.map(({ name, policy }) => ({ sourceId: `${kind}_${owner}_${name}`, policy }));
}

async function managed(call: Call, arns: readonly string[]): Promise<readonly SourcePolicy[]> {
  const found = await Promise.all(
    arns.map((arn) => findManagedPolicy(call.records, call.accountId, arn)),
  );
  return found.flatMap((one) => (one ? [{ sourceId: one.policyName, policy: one.inForce }] : []));
}

async function boundaryOf(call: Call, arn: string | undefined): Promise<SourcePolicy | undefined> {
  if (arn === undefined) return undefined;
  const [found] = await managed(call, [arn]);
  return found;
}
