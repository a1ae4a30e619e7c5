import type { GetRoleRequest, GetRoleResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { requireRole, roleUse, shownRole, shownRoleUse } from "../roles.ts";

export function getRole({
  accessKeyUsage,
}: IamDependencies): Operation<Wire<GetRoleRequest>, Wire<GetRoleResponse>> {
  return {
    name: "GetRole",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["RoleName"] },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const role = await requireRole(call, input.RoleName);
      const use = await shownRoleUse(accessKeyUsage, call, role);
      return { output: { Role: { ...(await shownRole(call, role)), ...use } } };
    },
  };
}
