import type { GetPolicyRequest, GetPolicyResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { useCounts } from "../attachments.ts";
import { policyUse, requireManagedPolicy, shownPolicy } from "../managed-policies.ts";

export function getPolicy(): Operation<Wire<GetPolicyRequest>, Wire<GetPolicyResponse>> {
  return {
    name: "GetPolicy",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["PolicyArn"] },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const policy = await requireManagedPolicy(call, input.PolicyArn);
      const counts = await useCounts(call.records, call.accountId);
      return { output: { Policy: shownPolicy(policy, counts) } };
    },
  };
}
