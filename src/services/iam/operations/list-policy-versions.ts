import type { ListPolicyVersionsRequest, ListPolicyVersionsResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { policyUse, requireManagedPolicy } from "../managed-policies.ts";
import { pageOfAll } from "../paging.ts";

export function listPolicyVersions(): Operation<
  Wire<ListPolicyVersionsRequest>,
  Wire<ListPolicyVersionsResponse>
> {
  return {
    name: "ListPolicyVersions",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["PolicyArn", "MaxItems", "Marker"] },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const { versions, defaultVersionId } = await requireManagedPolicy(call, input.PolicyArn);
      // AWS: the newest first.
      const number = (versionId: string) => Number(versionId.slice(1));
      const page = pageOfAll("ListPolicyVersions", input, versions, ({ versionId }) =>
        String(1_000_000_000 - number(versionId)),
      );
      const Versions = page.entries.map(({ versionId, createdMs }) => ({
        VersionId: versionId,
        IsDefaultVersion: versionId === defaultVersionId,
        CreateDate: createdMs,
      }));
      return { output: { Versions, ...page.output } };
    },
  };
}
