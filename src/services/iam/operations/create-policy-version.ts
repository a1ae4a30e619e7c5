import type { CreatePolicyVersionRequest, CreatePolicyVersionResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedVersion } from "../audited.ts";
import { policyUse, putManagedPolicy, requireOwnPolicy } from "../managed-policies.ts";
import { requireManagedDocument } from "../policies.ts";
import { limitExceeded } from "../refusals.ts";

const versionsMax = 5;

export function createPolicyVersion(): Operation<
  Wire<CreatePolicyVersionRequest>,
  Wire<CreatePolicyVersionResponse>
> {
  return {
    name: "CreatePolicyVersion",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: ["PolicyArn", "PolicyDocument", "SetAsDefault"],
      response: (output) => ({ policyVersion: auditedVersion(output.PolicyVersion) }),
    },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const record = await requireOwnPolicy(call, input.PolicyArn);
      requireManagedDocument(input.PolicyDocument);
      if (record.versions.length >= versionsMax) {
        throw limitExceeded(
          `A managed policy can have up to ${versionsMax} versions. Before you create a new ` +
            "version, you must delete an existing version.",
        );
      }
      const versionId = `v${record.nextVersion}`;
      const IsDefaultVersion = input.SetAsDefault === true;
      const policy = { text: input.PolicyDocument, principalIds: {} };
      const changed = {
        ...record,
        updatedMs: call.now,
        nextVersion: record.nextVersion + 1,
        versions: [...record.versions, { versionId, createdMs: call.now, policy }],
        defaultVersionId: IsDefaultVersion ? versionId : record.defaultVersionId,
      };
      const shown = { VersionId: versionId, IsDefaultVersion, CreateDate: call.now };
      return { output: { PolicyVersion: shown }, commands: [putManagedPolicy(changed)] };
    },
  };
}
