import type { Operation } from "../../../kernel/operation.ts";
import { boundaryContext, type HolderForm, type HolderInput, nameIn } from "../holders.ts";
import { noSuchEntity } from "../refusals.ts";

/** DeleteUserPermissionsBoundary, DeleteRolePermissionsBoundary. */
export function deletePermissionsBoundary(form: HolderForm): Operation<HolderInput, object> {
  return {
    name: `Delete${form.label}PermissionsBoundary`,
    access: "permissions",
    audit: { category: "management", readOnly: false, request: [form.member] },
    async resources(input, call) {
      const name = nameIn(form, input);
      return [await form.use(call, name, { context: await boundaryContext(form, call, name) })];
    },
    async handle(input, call) {
      const holder = await form.requireOwn(call, nameIn(form, input));
      if (holder.boundary === undefined) {
        // AWS?: the text.
        throw noSuchEntity(`${form.label} ${holder.name} does not have a permissions boundary.`);
      }
      return { output: {}, commands: [holder.put({ boundary: undefined })] };
    },
  };
}
