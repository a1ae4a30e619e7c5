import type { Operation } from "../../../kernel/operation.ts";
import { boundaryContext, type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { requirePolicy } from "../policies.ts";

interface Input extends HolderInput {
  readonly PolicyName: string;
}

/** DeleteUserPolicy, DeleteGroupPolicy, DeleteRolePolicy. */
export function deleteInlinePolicy(form: HolderForm): Operation<Input, object> {
  return {
    name: `Delete${form.label}Policy`,
    access: "permissions",
    audit: { category: "management", readOnly: false, request: [form.member, "PolicyName"] },
    async resources(input, call) {
      const name = nameIn(form, input);
      return [await form.use(call, name, { context: await boundaryContext(form, call, name) })];
    },
    async handle(input, call) {
      const holder = await form.requireOwn(call, nameIn(form, input));
      const removed = requirePolicy(form.label, holder.policies, input.PolicyName);
      const policies = holder.policies.filter((policy) => policy !== removed);
      return { output: {}, commands: [holder.put({ policies })] };
    },
  };
}
