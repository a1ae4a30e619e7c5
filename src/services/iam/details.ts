import type {
  AttachedPolicy,
  GroupDetail,
  ManagedPolicyDetail,
  PolicyDetail,
  RoleDetail,
  UserDetail,
} from "@aws-sdk/client-iam";
import type { Call } from "../../kernel/call.ts";
import type { NamedPolicy } from "../../kernel/policy.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { UseCounts } from "./attachments.ts";
import type { AccessKeyUsage } from "./dependencies.ts";
import { findGroup, shownGroup } from "./groups.ts";
import { listedProfile, profilesOfRole } from "./instance-profiles.ts";
import { findManagedPolicy, listedPolicy, type ManagedPolicy } from "./managed-policies.ts";
import { encodedDocument } from "./policies.ts";
import { listedRole, shownRoleUse } from "./roles.ts";
import type { GroupRecord, RoleRecord, UserRecord } from "./store.ts";
import { shownTags } from "./tags.ts";
import { listedUser, shownBoundary } from "./users.ts";

function inlinePolicies(policies: readonly NamedPolicy[]): readonly Wire<PolicyDetail>[] {
  return policies.map(({ name, policy }) => ({
    PolicyName: name,
    PolicyDocument: encodedDocument(policy.text),
  }));
}

async function attachedPolicies(
  call: Call,
  arns: readonly string[],
): Promise<readonly Wire<AttachedPolicy>[]> {
  const found = await Promise.all(
    arns.map((arn) => findManagedPolicy(call.records, call.accountId, arn)),
  );
  return found.flatMap((policy) =>
    policy ? [{ PolicyName: policy.policyName, PolicyArn: policy.arn }] : [],
  );
}

export async function userDetail(
  call: Call,
  user: Readonly<UserRecord>,
): Promise<Wire<UserDetail>> {
  const groups = await Promise.all(user.groups.map((key) => findGroup(call, key)));
  return {
    ...listedUser(user),
    UserPolicyList: inlinePolicies(user.policies),
    GroupList: groups.flatMap((group) => (group ? [group.groupName] : [])),
    AttachedManagedPolicies: await attachedPolicies(call, user.attached),
    ...shownBoundary(user.boundary),
    ...shownTags(user.tags),
  } as Wire<UserDetail>;
}

export async function groupDetail(
  call: Call,
  group: Readonly<GroupRecord>,
): Promise<Wire<GroupDetail>> {
  return {
    ...shownGroup(group),
    GroupPolicyList: inlinePolicies(group.policies),
    AttachedManagedPolicies: await attachedPolicies(call, group.attached),
  };
}

export async function roleDetail(
  call: Call,
  role: Readonly<RoleRecord>,
  usage: AccessKeyUsage,
): Promise<Wire<RoleDetail>> {
  const { Description: _, MaxSessionDuration: __, ...shown } = await listedRole(call, role);
  const profiles = await profilesOfRole(call, role);
  return {
    ...shown,
    InstanceProfileList: await Promise.all(profiles.map((one) => listedProfile(call, one))),
    RolePolicyList: inlinePolicies(role.policies),
    AttachedManagedPolicies: await attachedPolicies(call, role.attached),
    ...shownBoundary(role.boundary),
    ...shownTags(role.tags),
    ...(await shownRoleUse(usage, call, role)),
  } as Wire<RoleDetail>;
}

export function policyDetail(policy: ManagedPolicy, counts: UseCounts): Wire<ManagedPolicyDetail> {
  return {
    ...listedPolicy(policy, counts),
    ...(policy.description !== undefined && { Description: policy.description }),
    PolicyVersionList: policy.versions.map(({ versionId, createdMs, policy: document }) => ({
      Document: encodedDocument(document.text),
      VersionId: versionId,
      IsDefaultVersion: versionId === policy.defaultVersionId,
      CreateDate: createdMs,
    })),
  } as Wire<ManagedPolicyDetail>;
}
