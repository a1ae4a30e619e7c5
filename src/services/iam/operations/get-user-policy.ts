import type { GetUserPolicyRequest, GetUserPolicyResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { encodedDocument, requirePolicy } from "../policies.ts";
import { requireUser, userUse } from "../users.ts";

export function getUserPolicy(): Operation<
  Wire<GetUserPolicyRequest>,
  Wire<GetUserPolicyResponse>
> {
  return {
    name: "GetUserPolicy",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["UserName", "PolicyName"] },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const { name, policy } = requirePolicy(user.policies, input.PolicyName);
      return {
        output: {
          UserName: user.userName,
          PolicyName: name,
          PolicyDocument: encodedDocument(policy.text),
        },
      };
    },
  };
}
