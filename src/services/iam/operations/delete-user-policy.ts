import type { DeleteUserPolicyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requirePolicy } from "../policies.ts";
import { putUser, requireUser, userUse } from "../users.ts";

export function deleteUserPolicy(): Operation<Wire<DeleteUserPolicyRequest>, object> {
  return {
    name: "DeleteUserPolicy",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["UserName", "PolicyName"] },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const removed = requirePolicy(user.policies, input.PolicyName);
      const policies = user.policies.filter((policy) => policy !== removed);
      return { output: {}, commands: [putUser({ ...user, policies })] };
    },
  };
}
