import type { RemoveUserFromGroupRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { groupUse, requireGroup } from "../groups.ts";
import { noSuchEntity } from "../refusals.ts";
import { nameKey } from "../store.ts";
import { putUser, requireUser } from "../users.ts";

export function removeUserFromGroup(): Operation<Wire<RemoveUserFromGroupRequest>, object> {
  return {
    name: "RemoveUserFromGroup",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["GroupName", "UserName"] },
    resources: async (input, call) => [await groupUse(call, input.GroupName)],
    async handle(input, call) {
      const group = await requireGroup(call, input.GroupName);
      const user = await requireUser(call, input.UserName);
      const key = nameKey(group.groupName);
      // AWS?: the text.
      if (!user.groups.includes(key)) {
        throw noSuchEntity(`User ${user.userName} is not in group ${group.groupName}.`);
      }
      const groups = user.groups.filter((one) => one !== key);
      return { output: {}, commands: [putUser({ ...user, groups })] };
    },
  };
}
