import type { DeletePolicyVersionRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  policyUse,
  putManagedPolicy,
  requireOwnPolicy,
  requireVersion,
} from "../managed-policies.ts";
import { deleteConflict } from "../refusals.ts";

export function deletePolicyVersion(): Operation<Wire<DeletePolicyVersionRequest>, object> {
  return {
    name: "DeletePolicyVersion",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["PolicyArn", "VersionId"] },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const record = await requireOwnPolicy(call, input.PolicyArn);
      const { versionId } = requireVersion(record, input.PolicyArn, input.VersionId);
      if (versionId === record.defaultVersionId) {
        throw deleteConflict("Cannot delete the default version of a policy.");
      }
      const versions = record.versions.filter((version) => version.versionId !== versionId);
      const changed = { ...record, versions, updatedMs: call.now };
      return { output: {}, commands: [putManagedPolicy(changed)] };
    },
  };
}
