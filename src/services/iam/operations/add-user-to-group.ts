import type { AddUserToGroupRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { groupUse, requireGroup } from "../groups.ts";
import { limitExceeded } from "../refusals.ts";
import { nameKey } from "../store.ts";
import { putUser, requireUser } from "../users.ts";

const groupsMax = 10;

export function addUserToGroup(): Operation<Wire<AddUserToGroupRequest>, object> {
  return {
    name: "AddUserToGroup",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["GroupName", "UserName"] },
    resources: async (input, call) => [await groupUse(call, input.GroupName)],
    async handle(input, call) {
      const group = await requireGroup(call, input.GroupName);
      const user = await requireUser(call, input.UserName);
      const key = nameKey(group.groupName);
      if (user.groups.includes(key)) return { output: {} };
      if (user.groups.length >= groupsMax) {
        throw limitExceeded(`Cannot exceed quota for GroupsPerUser: ${groupsMax}`);
      }
      return { output: {}, commands: [putUser({ ...user, groups: [...user.groups, key] })] };
    },
  };
}
