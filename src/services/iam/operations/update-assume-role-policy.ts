import type { UpdateAssumeRolePolicyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { putRole, requireOwnRole, roleUse } from "../roles.ts";
import { prepareTrust } from "../trust.ts";

export function updateAssumeRolePolicy(): Operation<Wire<UpdateAssumeRolePolicyRequest>, object> {
  return {
    name: "UpdateAssumeRolePolicy",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["RoleName", "PolicyDocument"] },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const role = await requireOwnRole(call, input.RoleName);
      const trust = await prepareTrust(call.records, input.PolicyDocument);
      return { output: {}, commands: [putRole({ ...role, trust })] };
    },
  };
}
