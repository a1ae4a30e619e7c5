import type { ListUserTagsRequest, ListUserTagsResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { pageOfAll } from "../paging.ts";
import { requireUser, userUse } from "../users.ts";

export function listUserTags(): Operation<Wire<ListUserTagsRequest>, Wire<ListUserTagsResponse>> {
  return {
    name: "ListUserTags",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["UserName", "MaxItems", "Marker"] },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const all = Object.entries(user.tags).map(([Key, Value]) => ({ Key, Value }));
      const page = pageOfAll("ListUserTags", input, all, (tag) => tag.Key);
      return { output: { Tags: page.entries, ...page.output } };
    },
  };
}
