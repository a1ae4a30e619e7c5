import type { Operation } from "../../../kernel/operation.ts";
import { boundaryContext, type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { requirePolicyArn } from "../managed-policies.ts";
import { noSuchEntity } from "../refusals.ts";

interface Input extends HolderInput {
  readonly PolicyArn: string;
}

/** DetachUserPolicy, DetachGroupPolicy, DetachRolePolicy. */
export function detachPolicy(form: HolderForm): Operation<Input, object> {
  return {
    name: `Detach${form.label}Policy`,
    access: "permissions",
    audit: { category: "management", readOnly: false, request: [form.member, "PolicyArn"] },
    async resources(input, call) {
      const name = nameIn(form, input);
      const context = {
        ...(await boundaryContext(form, call, name)),
        "iam:policyarn": input.PolicyArn,
      };
      return [await form.use(call, name, { context })];
    },
    async handle(input, call) {
      const holder = await form.requireOwn(call, nameIn(form, input));
      requirePolicyArn(input.PolicyArn);
      if (!holder.attached.includes(input.PolicyArn)) {
        throw noSuchEntity(`Policy ${input.PolicyArn} was not found.`);
      }
      const attached = holder.attached.filter((arn) => arn !== input.PolicyArn);
      return { output: {}, commands: [holder.put({ attached })] };
    },
  };
}
