import type { ListAccessKeysRequest, ListAccessKeysResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  heldKeyIds,
  holderName,
  keyHolderUse,
  requireHeldKey,
  requireKeyHolder,
} from "../access-keys.ts";
import { pageOfAll } from "../paging.ts";

export function listAccessKeys(): Operation<
  Wire<ListAccessKeysRequest>,
  Wire<ListAccessKeysResponse>
> {
  return {
    name: "ListAccessKeys",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["UserName", "MaxItems", "Marker"] },
    resources: async (input, call) => [await keyHolderUse(call, input.UserName)],
    async handle(input, call) {
      const holder = await requireKeyHolder(call, input.UserName);
      const page = pageOfAll("ListAccessKeys", input, heldKeyIds(holder), (id) => id);
      const UserName = holderName(holder);
      const shown = [];
      for (const AccessKeyId of page.entries) {
        const { status, createdMs } = await requireHeldKey(call, holder, AccessKeyId);
        shown.push({ UserName, AccessKeyId, Status: status, CreateDate: createdMs });
      }
      return { output: { AccessKeyMetadata: shown, ...page.output } };
    },
  };
}
