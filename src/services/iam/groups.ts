import type { Group } from "@aws-sdk/client-iam";
import { formatArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { Soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { noSuchEntity } from "./refusals.ts";
import { accountScope, type GroupRecord, groups, nameKey } from "./store.ts";

export function groupArn(group: {
  readonly accountId: string;
  readonly path: string;
  readonly groupName: string;
}): string {
  return formatArn("iam", "", group.accountId, `group${group.path}${group.groupName}`);
}

export const groupResourceType = "AWS::IAM::Group";

export function findGroup(call: Call, name: string): Soon<Readonly<GroupRecord> | undefined> {
  return groups.get(call.records, accountScope(call.accountId), nameKey(name));
}

/** Throws NoSuchEntity. */
export async function requireGroup(call: Call, groupName: string): Promise<Readonly<GroupRecord>> {
  const group = await findGroup(call, groupName);
  if (!group) throw noSuchEntity(`The group with name ${groupName} cannot be found.`);
  return group;
}

export function putGroup(group: GroupRecord): Command {
  return groups.put(accountScope(group.accountId), nameKey(group.groupName), group);
}

/** A group as the thing to authorise; one that is not there, by the ARN it would have. */
export async function groupUse(
  call: Call,
  groupName: string,
  options: { readonly context?: ConditionContext } = {},
): Promise<ResourceUse> {
  const group = await findGroup(call, groupName);
  const { accountId } = call;
  const arn = groupArn(group ?? { accountId, path: "/", groupName });
  return { arn, accountId, type: groupResourceType, ...options };
}

export function shownGroup(group: Readonly<GroupRecord>): Wire<Group> {
  return {
    Path: group.path,
    GroupName: group.groupName,
    GroupId: group.groupId,
    Arn: groupArn(group),
    CreateDate: group.createdMs,
  };
}
