import type { GetPolicyVersionRequest, GetPolicyVersionResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { policyUse, requireManagedPolicy, requireVersion } from "../managed-policies.ts";
import { encodedDocument } from "../policies.ts";

export function getPolicyVersion(): Operation<
  Wire<GetPolicyVersionRequest>,
  Wire<GetPolicyVersionResponse>
> {
  return {
    name: "GetPolicyVersion",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["PolicyArn", "VersionId"] },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const policy = await requireManagedPolicy(call, input.PolicyArn);
      const version = requireVersion(policy, input.PolicyArn, input.VersionId);
      const shown = {
        Document: encodedDocument(version.policy.text),
        VersionId: version.versionId,
        IsDefaultVersion: version.versionId === policy.defaultVersionId,
        CreateDate: version.createdMs,
      };
      return { output: { PolicyVersion: shown } };
    },
  };
}
