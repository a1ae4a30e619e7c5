import type {
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse,
  UpdateRoleRequest,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { putRole, requireOwnRole, roleUse, shownRole } from "../roles.ts";

export function updateRole(): Operation<Wire<UpdateRoleRequest>, object> {
  return {
    name: "UpdateRole",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["RoleName", "Description", "MaxSessionDuration"],
    },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const role = await requireOwnRole(call, input.RoleName);
      const changed = {
        ...role,
        description: input.Description ?? role.description,
        maxSessionSeconds: input.MaxSessionDuration ?? role.maxSessionSeconds,
      };
      return { output: {}, commands: [putRole(changed)] };
    },
  };
}

/** AWS: the older form, which answers with the role. */
export function updateRoleDescription(): Operation<
  Wire<UpdateRoleDescriptionRequest>,
  Wire<UpdateRoleDescriptionResponse>
> {
  return {
    name: "UpdateRoleDescription",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["RoleName", "Description"] },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const role = await requireOwnRole(call, input.RoleName);
      const changed = { ...role, description: input.Description };
      return { output: { Role: await shownRole(call, changed) }, commands: [putRole(changed)] };
    },
  };
}
