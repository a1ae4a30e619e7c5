import type { DeleteGroupRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { usersInGroup } from "../attachments.ts";
import { groupUse, requireGroup } from "../groups.ts";
import { deleteConflict } from "../refusals.ts";
import { accountScope, groups, nameKey } from "../store.ts";

export function deleteGroup(): Operation<Wire<DeleteGroupRequest>, object> {
  return {
    name: "DeleteGroup",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["GroupName"] },
    resources: async (input, call) => [await groupUse(call, input.GroupName)],
    async handle(input, call) {
      const group = await requireGroup(call, input.GroupName);
      const key = nameKey(group.groupName);
      if (group.attached.length > 0) {
        throw deleteConflict("Cannot delete entity, must detach all policies first.");
      }
      if (group.policies.length > 0) {
        throw deleteConflict("Cannot delete entity, must delete policies first.");
      }
      if ((await usersInGroup(call.records, call.accountId, key)).length > 0) {
        throw deleteConflict("Cannot delete entity, must remove users from group first.");
      }
      return { output: {}, commands: [groups.remove(accountScope(call.accountId), key)] };
    },
  };
}
