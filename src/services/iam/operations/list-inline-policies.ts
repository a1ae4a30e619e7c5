import type { Operation } from "../../../kernel/operation.ts";
import { type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { type PagedInput, pageOfAll } from "../paging.ts";

/** ListUserPolicies, ListGroupPolicies, ListRolePolicies. */
export function listInlinePolicies(form: HolderForm): Operation<HolderInput & PagedInput, object> {
  const operation = `List${form.label}Policies`;
  return {
    name: operation,
    access: "list",
    audit: { category: "management", readOnly: true, request: [form.member, "MaxItems", "Marker"] },
    resources: async (input, call) => [await form.use(call, nameIn(form, input))],
    async handle(input, call) {
      const { policies } = await form.require(call, nameIn(form, input));
      const names = policies.map((policy) => policy.name);
      const page = pageOfAll(operation, input, names, (name) => name);
      return { output: { PolicyNames: page.entries, ...page.output } };
    },
  };
}
