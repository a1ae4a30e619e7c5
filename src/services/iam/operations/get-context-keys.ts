import type {
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse,
  GetContextKeysForPrincipalPolicyRequest,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { contextKeys } from "../context-keys.ts";
import { policySource, type SourcePolicy } from "../policy-sources.ts";
import { givenPolicies } from "../simulate.ts";

type Output = Wire<GetContextKeysForPolicyResponse>;

export function getContextKeysForCustomPolicy(): Operation<
  Wire<GetContextKeysForCustomPolicyRequest>,
  Output
> {
  return {
    name: "GetContextKeysForCustomPolicy",
    access: "read",
    audit: { category: "management", readOnly: true },
    resources: (_input, { accountId }) => [{ arn: "*", accountId }],
    handle: (input) => ({
      output: keysOf(givenPolicies(input.PolicyInputList, "PolicyInputList")),
    }),
  };
}

export function getContextKeysForPrincipalPolicy(): Operation<
  Wire<GetContextKeysForPrincipalPolicyRequest>,
  Output
> {
  return {
    name: "GetContextKeysForPrincipalPolicy",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["PolicySourceArn"] },
    resources: (input, { accountId }) => [{ arn: input.PolicySourceArn, accountId }],
    async handle(input, call) {
      const { policies } = await policySource(call, input.PolicySourceArn);
      const added = givenPolicies(input.PolicyInputList ?? [], "PolicyInputList");
      return { output: keysOf([...policies, ...added]) };
    },
  };
}

function keysOf(policies: readonly SourcePolicy[]): Output {
  const names = new Set(policies.flatMap(({ policy }) => contextKeys(policy.text)));
  return { ContextKeyNames: [...names] };
}
