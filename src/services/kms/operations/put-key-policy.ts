import type { PutKeyPolicyRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { prepareKeyPolicy, requireDefaultPolicyName } from "../policies.ts";

export function putKeyPolicy(
  dependencies: KmsDependencies,
): Operation<Wire<PutKeyPolicyRequest>, object> {
  return {
    name: "PutKeyPolicy",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({
        keyId: input.KeyId,
        policyName: input.PolicyName ?? "default",
        policy: input.Policy,
        bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
      }),
    },
    async resources(input, call) {
      const bypass = input.BypassPolicyLockoutSafetyCheck;
      const conditions = {
        ...(bypass !== undefined && { "kms:bypasspolicylockoutsafetycheck": bypass }),
      };
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      requireDefaultPolicyName(input.PolicyName);
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      const policy = await prepareKeyPolicy(dependencies, call, {
        text: input.Policy,
        keyArn: arn,
        keyConditions: keyConditions(key),
        tags: key.tags,
        bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
      });
      return { output: {}, ...saveKey(dependencies, key, { ...key, policy }) };
    },
  };
}
