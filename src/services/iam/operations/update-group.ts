import type { UpdateGroupRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { usersInGroup } from "../attachments.ts";
import { findGroup, groupArn, groupUse, putGroup, requireGroup } from "../groups.ts";
import { alreadyExists } from "../refusals.ts";
import { accountScope, type GroupRecord, groups, nameKey } from "../store.ts";
import { putUser } from "../users.ts";

type Input = Wire<UpdateGroupRequest>;

export function updateGroup(): Operation<Input, object> {
  return {
    name: "UpdateGroup",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["GroupName", "NewGroupName", "NewPath"],
    },
    async resources(input, call) {
      const present = await groupUse(call, input.GroupName);
      const group = await findGroup(call, input.GroupName);
      // AWS: the permission is needed on the old and on the new name.
      return group ? [present, { ...present, arn: groupArn(renamed(group, input)) }] : [present];
    },
    async handle(input, call) {
      const before = await requireGroup(call, input.GroupName);
      const after = renamed(before, input);
      const [oldKey, newKey] = [nameKey(before.groupName), nameKey(after.groupName)];
      if (oldKey === newKey) return { output: {}, commands: [putGroup(after)] };
      if (await findGroup(call, after.groupName)) {
        throw alreadyExists(`Group with name ${after.groupName} already exists.`);
      }
      // Members name their groups, so they follow.
      const members = await usersInGroup(call.records, call.accountId, oldKey);
      const moved = members.map((user) =>
        putUser({ ...user, groups: user.groups.map((key) => (key === oldKey ? newKey : key)) }),
      );
      const gone = groups.remove(accountScope(call.accountId), oldKey);
      return { output: {}, commands: [gone, putGroup(after), ...moved] };
    },
  };
}

function renamed(group: Readonly<GroupRecord>, input: Input): GroupRecord {
  const groupName = input.NewGroupName ?? group.groupName;
  return { ...group, groupName, path: input.NewPath ?? group.path };
}
