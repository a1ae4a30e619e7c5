import type { DeletePolicyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { useCounts } from "../attachments.ts";
import { policyUse, requireOwnPolicy } from "../managed-policies.ts";
import { deleteConflict } from "../refusals.ts";
import { accountScope, managedPolicies, nameKey } from "../store.ts";

export function deletePolicy(): Operation<Wire<DeletePolicyRequest>, object> {
  return {
    name: "DeletePolicy",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["PolicyArn"] },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const record = await requireOwnPolicy(call, input.PolicyArn);
      const { attached, boundaries } = await useCounts(call.records, call.accountId);
      if (attached.has(input.PolicyArn) || boundaries.has(input.PolicyArn)) {
        throw deleteConflict("Cannot delete a policy attached to entities.");
      }
      if (record.versions.length > 1) {
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete " +
            "the policy's versions. The default version is deleted with the policy.",
        );
      }
      const scope = accountScope(call.accountId);
      const gone = managedPolicies.remove(scope, nameKey(record.policyName));
      return { output: {}, commands: [gone] };
    },
  };
}
