import type { SimulatePolicyResponse, SimulatePrincipalPolicyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { policySource } from "../policy-sources.ts";
import { validationError } from "../refusals.ts";
import { givenPolicies, simulate } from "../simulate.ts";
import { simulationPage } from "../simulation-page.ts";

/** What a user, group or role may do, with policies added to those it has. */
export function simulatePrincipalPolicy(): Operation<
  Wire<SimulatePrincipalPolicyRequest>,
  Wire<SimulatePolicyResponse>
> {
  return {
    name: "SimulatePrincipalPolicy",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      request: ["PolicySourceArn", "ActionNames", "ResourceArns", "CallerArn"],
    },
    resources: (input, { accountId }) => [{ arn: input.PolicySourceArn, accountId }],
    async handle(input, call) {
      if (input.PolicyExclusionList !== undefined) {
        throw validationError("PolicyExclusionList is not supported.");
      }
      const source = await policySource(call, input.PolicySourceArn);
      const added = givenPolicies(input.PolicyInputList ?? [], "PolicyInputList");
      const results = await simulate(call, input, {
        ...source,
        policies: [...source.policies, ...added],
      });
      return { output: simulationPage("SimulatePrincipalPolicy", input, results) };
    },
  };
}
