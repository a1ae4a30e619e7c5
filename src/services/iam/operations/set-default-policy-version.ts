import type { SetDefaultPolicyVersionRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  policyUse,
  putManagedPolicy,
  requireOwnPolicy,
  requireVersion,
} from "../managed-policies.ts";

export function setDefaultPolicyVersion(): Operation<Wire<SetDefaultPolicyVersionRequest>, object> {
  return {
    name: "SetDefaultPolicyVersion",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["PolicyArn", "VersionId"] },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const record = await requireOwnPolicy(call, input.PolicyArn);
      const { versionId } = requireVersion(record, input.PolicyArn, input.VersionId);
      const changed = { ...record, defaultVersionId: versionId, updatedMs: call.now };
      return { output: {}, commands: [putManagedPolicy(changed)] };
    },
  };
}
