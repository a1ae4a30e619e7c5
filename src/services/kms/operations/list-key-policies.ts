import type { ListKeyPoliciesRequest, ListKeyPoliciesResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireOwnKey } from "../locate.ts";
import { pageRequest } from "../paging.ts";

export function listKeyPolicies(
  dependencies: KmsDependencies,
): Operation<Wire<ListKeyPoliciesRequest>, Wire<ListKeyPoliciesResponse>> {
  return {
    name: "ListKeyPolicies",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["KeyId", "Limit", "Marker"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    handle(input) {
      // A key has exactly one policy, so no marker was ever given out.
      pageRequest("ListKeyPolicies", input, { default: 100, max: 1000 });
      return { output: { PolicyNames: ["default"], Truncated: false } };
    },
  };
}
