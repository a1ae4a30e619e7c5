import type { Operation } from "../../../kernel/operation.ts";
import { type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { findManagedPolicy } from "../managed-policies.ts";
import { type PagedInput, pageOfAll } from "../paging.ts";

interface Input extends HolderInput, PagedInput {
  readonly PathPrefix?: string;
}

/** ListAttachedUserPolicies, ListAttachedGroupPolicies, ListAttachedRolePolicies. */
export function listAttachedPolicies(form: HolderForm): Operation<Input, object> {
  const operation = `ListAttached${form.label}Policies`;
  return {
    name: operation,
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: [form.member, "PathPrefix", "MaxItems", "Marker"],
    },
    resources: async (input, call) => [await form.use(call, nameIn(form, input))],
    async handle(input, call) {
      const { attached } = await form.require(call, nameIn(form, input));
      const found = await Promise.all(
        attached.map((arn) => findManagedPolicy(call.records, call.accountId, arn)),
      );
      const under = found
        .filter((policy) => policy !== undefined)
        .filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOfAll(operation, input, under, ({ arn }) => arn);
      const AttachedPolicies = page.entries.map(({ arn, policyName }) => ({
        PolicyName: policyName,
        PolicyArn: arn,
      }));
      return { output: { AttachedPolicies, ...page.output } };
    },
  };
}
