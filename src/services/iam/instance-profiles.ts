import type { InstanceProfile } from "@aws-sdk/client-iam";
import { formatArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { Soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { noSuchEntity } from "./refusals.ts";
import { listedRole, requireRole } from "./roles.ts";
import {
  accountScope,
  type InstanceProfileRecord,
  instanceProfiles,
  nameKey,
  type RoleRecord,
} from "./store.ts";
import { shownTags } from "./tags.ts";

export function profileArn(profile: {
  readonly accountId: string;
  readonly path: string;
  readonly profileName: string;
}): string {
  const { accountId, path, profileName } = profile;
  return formatArn("iam", "", accountId, `instance-profile${path}${profileName}`);
}

export const profileResourceType = "AWS::IAM::InstanceProfile";

export function findProfile(
  call: Call,
  name: string,
): Soon<Readonly<InstanceProfileRecord> | undefined> {
  return instanceProfiles.get(call.records, accountScope(call.accountId), nameKey(name));
}

/** Throws NoSuchEntity. */
export async function requireProfile(
  call: Call,
  name: string,
): Promise<Readonly<InstanceProfileRecord>> {
  const profile = await findProfile(call, name);
  if (!profile) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return profile;
}

export function putProfile(profile: InstanceProfileRecord): Command {
  return instanceProfiles.put(
    accountScope(profile.accountId),
    nameKey(profile.profileName),
    profile,
  );
}

export async function profileUse(
  call: Call,
  profileName: string,
  options: { readonly context?: ConditionContext } = {},
): Promise<ResourceUse> {
  const profile = await findProfile(call, profileName);
  const { accountId } = call;
  return {
    arn: profileArn(profile ?? { accountId, path: "/", profileName }),
    accountId,
    ...(profile && { tags: profile.tags }),
    type: profileResourceType,
    ...options,
  };
}

/** Profiles that hold a role. */
export async function profilesOfRole(
  call: Call,
  role: Readonly<RoleRecord>,
): Promise<readonly Readonly<InstanceProfileRecord>[]> {
  const all = await instanceProfiles.list(call.records, accountScope(call.accountId));
  const key = nameKey(role.roleName);
  return all.map(({ value }) => value).filter(({ roleKey }) => roleKey === key);
}

/** A profile as lists show it, with the role in it. */
export async function listedProfile(
  call: Call,
  profile: Readonly<InstanceProfileRecord>,
): Promise<Wire<InstanceProfile>> {
  const { roleKey } = profile;
  const role = roleKey === undefined ? undefined : await requireRole(call, roleKey);
  return {
    Path: profile.path,
    InstanceProfileName: profile.profileName,
    InstanceProfileId: profile.profileId,
    Arn: profileArn(profile),
    CreateDate: profile.createdMs,
    Roles: role ? [await listedRole(call, role)] : [],
  };
}

export async function shownProfile(
  call: Call,
  profile: Readonly<InstanceProfileRecord>,
): Promise<Wire<InstanceProfile>> {
  return { ...(await listedProfile(call, profile)), ...shownTags(profile.tags) };
}
