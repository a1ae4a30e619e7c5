import type { GetRoleRequest, GetRoleResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireRole, roleUse, shownRole } from "../roles.ts";

export function getRole(): Operation<Wire<GetRoleRequest>, Wire<GetRoleResponse>> {
  return {
    name: "GetRole",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["RoleName"] },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const role = await requireRole(call, input.RoleName);
      return { output: { Role: await shownRole(call, role) } };
    },
  };
}
