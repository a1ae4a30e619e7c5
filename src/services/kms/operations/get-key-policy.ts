import type { GetKeyPolicyRequest, GetKeyPolicyResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireOwnKey } from "../locate.ts";
import { requireDefaultPolicyName, shownPolicy } from "../policies.ts";

export function getKeyPolicy(
  dependencies: KmsDependencies,
): Operation<Wire<GetKeyPolicyRequest>, Wire<GetKeyPolicyResponse>> {
  return {
    name: "GetKeyPolicy",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["KeyId", "PolicyName"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      requireDefaultPolicyName(input.PolicyName);
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      const text = await shownPolicy(dependencies, call, key.policy);
      return { output: { Policy: text, PolicyName: "default" } };
    },
  };
}
