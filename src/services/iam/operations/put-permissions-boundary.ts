import type { Operation } from "../../../kernel/operation.ts";
import { type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { requireBoundary } from "../managed-policies.ts";

interface Input extends HolderInput {
  readonly PermissionsBoundary: string;
}

/** PutUserPermissionsBoundary, PutRolePermissionsBoundary. */
export function putPermissionsBoundary(form: HolderForm): Operation<Input, object> {
  return {
    name: `Put${form.label}PermissionsBoundary`,
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: [form.member, "PermissionsBoundary"],
    },
    async resources(input, call) {
      const context = { "iam:permissionsboundary": input.PermissionsBoundary };
      return [await form.use(call, nameIn(form, input), { context })];
    },
    async handle(input, call) {
      const holder = await form.requireOwn(call, nameIn(form, input));
      const boundary = await requireBoundary(call, input.PermissionsBoundary);
      return { output: {}, commands: [holder.put({ boundary })] };
    },
  };
}
