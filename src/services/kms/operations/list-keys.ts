import type { ListKeysRequest, ListKeysResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { noKeyUse } from "../conditions.ts";
import { keyArn } from "../keys.ts";
import { pageOf, pageOutput, pageRequest } from "../paging.ts";
import { keys } from "../store.ts";

export function listKeys(): Operation<Wire<ListKeysRequest>, Wire<ListKeysResponse>> {
  return {
    name: "ListKeys",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["Limit", "Marker"] },
    resources: (_input, call) => [noKeyUse(call)],
    async handle(input, call) {
      const request = pageRequest("ListKeys", input, { default: 100, max: 1000 });
      const range = { afterId: request.afterId, limit: request.limit + 1 };
      const entries = await keys.list(call.records, call, range);
      const page = pageOf("ListKeys", request, entries, (entry) => entry.id);
      const shown = page.entries.map(({ value }) => ({
        KeyId: value.keyId,
        KeyArn: keyArn(value),
      }));
      return { output: { Keys: shown, ...pageOutput(page) } };
    },
  };
}
