import type { PutUserPolicyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireIdentityPolicy, requireInlineQuota, withPolicy } from "../policies.ts";
import { putUser, requireUser, userUse } from "../users.ts";

export function putUserPolicy(): Operation<Wire<PutUserPolicyRequest>, object> {
  return {
    name: "PutUserPolicy",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: ["UserName", "PolicyName", "PolicyDocument"],
    },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      requireIdentityPolicy(input.PolicyDocument);
      const policies = withPolicy(user.policies, input.PolicyName, input.PolicyDocument);
      requireInlineQuota(user.userName, policies);
      return { output: {}, commands: [putUser({ ...user, policies })] };
    },
  };
}
