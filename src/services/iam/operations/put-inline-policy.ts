import type { Operation } from "../../../kernel/operation.ts";
import { boundaryContext, type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { requireIdentityPolicy, requireInlineQuota, withPolicy } from "../policies.ts";

interface Input extends HolderInput {
  readonly PolicyName: string;
  readonly PolicyDocument: string;
}

/** PutUserPolicy, PutGroupPolicy, PutRolePolicy. */
export function putInlinePolicy(form: HolderForm): Operation<Input, object> {
  const { label, inlineCharactersMax: charactersMax } = form;
  return {
    name: `Put${label}Policy`,
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: [form.member, "PolicyName", "PolicyDocument"],
    },
    async resources(input, call) {
      const name = nameIn(form, input);
      return [await form.use(call, name, { context: await boundaryContext(form, call, name) })];
    },
    async handle(input, call) {
      const holder = await form.requireOwn(call, nameIn(form, input));
      requireIdentityPolicy(input.PolicyDocument);
      const policies = withPolicy(holder.policies, input.PolicyName, input.PolicyDocument);
      requireInlineQuota({ label, name: holder.name, charactersMax }, policies);
      return { output: {}, commands: [holder.put({ policies })] };
    },
  };
}
