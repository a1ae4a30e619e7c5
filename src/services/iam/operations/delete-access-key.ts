import type { DeleteAccessKeyRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  heldKeyIds,
  keyHolderUse,
  putHeldKeyIds,
  requireHeldKey,
  requireKeyHolder,
} from "../access-keys.ts";
import { accessKeys, installation } from "../store.ts";

export function deleteAccessKey(): Operation<Wire<DeleteAccessKeyRequest>, object> {
  return {
    name: "DeleteAccessKey",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["UserName", "AccessKeyId"] },
    resources: async (input, call) => [await keyHolderUse(call, input.UserName)],
    async handle(input, call) {
      const holder = await requireKeyHolder(call, input.UserName);
      const { accessKeyId } = await requireHeldKey(call, holder, input.AccessKeyId);
      const rest = heldKeyIds(holder).filter((id) => id !== accessKeyId);
      const commands = [accessKeys.remove(installation, accessKeyId), putHeldKeyIds(holder, rest)];
      return { output: {}, commands };
    },
  };
}
