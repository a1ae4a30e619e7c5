import type { DeleteUserRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { deleteConflict } from "../refusals.ts";
import { accountScope, userKeyOf, users } from "../store.ts";
import { requireUser, userUse } from "../users.ts";

export function deleteUser(): Operation<Wire<DeleteUserRequest>, object> {
  return {
    name: "DeleteUser",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["UserName"] },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      if (user.accessKeyIds.length > 0) {
        throw deleteConflict("Cannot delete entity, must delete access keys first.");
      }
      if (user.policies.length > 0) {
        throw deleteConflict("Cannot delete entity, must delete policies first.");
      }
      if (user.attached.length > 0) {
        throw deleteConflict("Cannot delete entity, must detach all policies first.");
      }
      if (user.groups.length > 0) {
        throw deleteConflict("Cannot delete entity, must remove users from group first.");
      }
      const scope = accountScope(call.accountId);
      return { output: {}, commands: [users.remove(scope, userKeyOf(user.userName))] };
    },
  };
}
