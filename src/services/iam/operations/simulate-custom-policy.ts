import type { SimulateCustomPolicyRequest, SimulatePolicyResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { validationError } from "../refusals.ts";
import { givenPolicies, simulate } from "../simulate.ts";
import { simulationPage } from "../simulation-page.ts";

/** What a caller with these policies could do. */
export function simulateCustomPolicy(): Operation<
  Wire<SimulateCustomPolicyRequest>,
  Wire<SimulatePolicyResponse>
> {
  return {
    name: "SimulateCustomPolicy",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      request: ["ActionNames", "ResourceArns", "CallerArn"],
    },
    resources: (_input, { accountId }) => [{ arn: "*", accountId }],
    async handle(input, call) {
      if (input.OrderedOrganizationPolicyInputList !== undefined) {
        throw validationError("OrderedOrganizationPolicyInputList is not supported.");
      }
      const policies = givenPolicies(input.PolicyInputList, "PolicyInputList");
      const results = await simulate(call, input, {
        policies,
        boundary: undefined,
        caller: undefined,
      });
      return { output: simulationPage("SimulateCustomPolicy", input, results) };
    },
  };
}
