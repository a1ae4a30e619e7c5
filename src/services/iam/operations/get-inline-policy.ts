import type { Operation } from "../../../kernel/operation.ts";
import { type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { encodedDocument, requirePolicy } from "../policies.ts";

interface Input extends HolderInput {
  readonly PolicyName: string;
}

/** GetUserPolicy, GetGroupPolicy, GetRolePolicy. */
export function getInlinePolicy(form: HolderForm): Operation<Input, object> {
  return {
    name: `Get${form.label}Policy`,
    access: "read",
    audit: { category: "management", readOnly: true, request: [form.member, "PolicyName"] },
    resources: async (input, call) => [await form.use(call, nameIn(form, input))],
    async handle(input, call) {
      const holder = await form.require(call, nameIn(form, input));
      const { name, policy } = requirePolicy(form.label, holder.policies, input.PolicyName);
      const PolicyDocument = encodedDocument(policy.text);
      return { output: { [form.member]: holder.name, PolicyName: name, PolicyDocument } };
    },
  };
}
