import type { ListPoliciesRequest, ListPoliciesResponse } from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { useCounts } from "../attachments.ts";
import { awsManaged, listedPolicy, type ManagedPolicy, ofCustomer } from "../managed-policies.ts";
import { pageOfAll } from "../paging.ts";
import { managedPolicies } from "../store.ts";

type Input = Wire<ListPoliciesRequest>;

export function listPolicies(): Operation<Input, Wire<ListPoliciesResponse>> {
  return {
    name: "ListPolicies",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["Scope", "OnlyAttached", "PathPrefix", "PolicyUsageFilter", "MaxItems", "Marker"],
    },
    resources: (input, { accountId }) => [
      { arn: `arn:aws:iam::${accountId}:policy${input.PathPrefix ?? "/"}`, accountId },
    ],
    async handle(input, call) {
      const counts = await useCounts(call.records, call.accountId);
      const asBoundary = input.PolicyUsageFilter === "PermissionsBoundary";
      const uses = asBoundary ? counts.boundaries : counts.attached;
      const found = (await policiesOf(call, input.Scope ?? "All"))
        .filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"))
        .filter(({ arn }) => (input.OnlyAttached !== true && !asBoundary) || uses.has(arn));
      const page = pageOfAll("ListPolicies", input, found, ({ arn }) => arn);
      const Policies = page.entries.map((policy) => listedPolicy(policy, counts));
      return { output: { Policies, ...page.output } };
    },
  };
}

async function policiesOf(
  call: Call,
  scope: NonNullable<Input["Scope"]>,
): Promise<readonly ManagedPolicy[]> {
  const ofAws = scope === "Local" ? [] : [...awsManaged.values()];
  if (scope === "AWS") return ofAws;
  const own = await managedPolicies.list(call.records, call);
  return [...ofAws, ...own.map(({ value }) => ofCustomer(value))];
}
