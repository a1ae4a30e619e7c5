import type { DeleteRoleRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { profilesOfRole } from "../instance-profiles.ts";
import { deleteConflict } from "../refusals.ts";
import { requireOwnRole, roleUse } from "../roles.ts";
import { accountScope, nameKey, roles } from "../store.ts";

export function deleteRole(): Operation<Wire<DeleteRoleRequest>, object> {
  return {
    name: "DeleteRole",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["RoleName"] },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const role = await requireOwnRole(call, input.RoleName);
      if ((await profilesOfRole(call, role)).length > 0) {
        throw deleteConflict(
          "Cannot delete entity, must remove roles from instance profile first.",
        );
      }
      if (role.attached.length > 0) {
        throw deleteConflict("Cannot delete entity, must detach all policies first.");
      }
      if (role.policies.length > 0) {
        throw deleteConflict("Cannot delete entity, must delete policies first.");
      }
      const scope = accountScope(call.accountId);
      return { output: {}, commands: [roles.remove(scope, nameKey(role.roleName))] };
    },
  };
}
