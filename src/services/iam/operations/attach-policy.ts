import type { Operation } from "../../../kernel/operation.ts";
import { boundaryContext, type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { requireAttachablePolicy } from "../managed-policies.ts";
import { limitExceeded } from "../refusals.ts";

interface Input extends HolderInput {
  readonly PolicyArn: string;
}

/** AWS: quota of managed policies of one user, group or role. */
const attachedMax = 10;

/** AttachUserPolicy, AttachGroupPolicy, AttachRolePolicy. */
export function attachPolicy(form: HolderForm): Operation<Input, object> {
  return {
    name: `Attach${form.label}Policy`,
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
      const { arn } = await requireAttachablePolicy(call, input.PolicyArn);
      if (holder.attached.includes(arn)) return { output: {} };
      if (holder.attached.length >= attachedMax) {
        throw limitExceeded(`Cannot exceed quota for PoliciesPer${form.label}: ${attachedMax}`);
      }
      return { output: {}, commands: [holder.put({ attached: [...holder.attached, arn] })] };
    },
  };
}
