import type { ListUserPoliciesRequest, ListUserPoliciesResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { pageOfAll } from "../paging.ts";
import { requireUser, userUse } from "../users.ts";

export function listUserPolicies(): Operation<
  Wire<ListUserPoliciesRequest>,
  Wire<ListUserPoliciesResponse>
> {
  return {
    name: "ListUserPolicies",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["UserName", "MaxItems", "Marker"] },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const names = user.policies.map((policy) => policy.name);
      const page = pageOfAll("ListUserPolicies", input, names, (name) => name);
      return { output: { PolicyNames: page.entries, ...page.output } };
    },
  };
}
