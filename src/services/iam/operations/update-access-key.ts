import type { UpdateAccessKeyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyHolderUse, putAccessKey, requireHeldKey, requireKeyHolder } from "../access-keys.ts";
import { validationError } from "../refusals.ts";

export function updateAccessKey(): Operation<Wire<UpdateAccessKeyRequest>, object> {
  return {
    name: "UpdateAccessKey",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["UserName", "AccessKeyId", "Status"],
    },
    resources: async (input, call) => [await keyHolderUse(call, input.UserName)],
    async handle(input, call) {
      const status = input.Status;
      if (status !== "Active" && status !== "Inactive") {
        throw validationError("Status must be Active or Inactive.");
      }
      const holder = await requireKeyHolder(call, input.UserName);
      const key = await requireHeldKey(call, holder, input.AccessKeyId);
      return { output: {}, commands: [putAccessKey({ ...key, status })] };
    },
  };
}
