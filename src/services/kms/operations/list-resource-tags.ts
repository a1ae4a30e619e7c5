import type { ListResourceTagsRequest, ListResourceTagsResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireOwnKey } from "../locate.ts";
import { pageOf, pageOutput, pageRequest } from "../paging.ts";

export function listResourceTags(
  dependencies: KmsDependencies,
): Operation<Wire<ListResourceTagsRequest>, Wire<ListResourceTagsResponse>> {
  return {
    name: "ListResourceTags",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["KeyId", "Limit", "Marker"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const request = pageRequest("ListResourceTags", input, { default: 50, max: 50 });
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      const rest = Object.entries(key.tags)
        .filter(([name]) => name > request.afterId)
        .sort(([left], [right]) => (left < right ? -1 : 1));
      const page = pageOf("ListResourceTags", request, rest, ([name]) => name);
      const shown = page.entries.map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
      return { output: { Tags: shown, ...pageOutput(page) } };
    },
  };
}
