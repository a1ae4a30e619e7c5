import type { ListGroupsRequest, ListGroupsResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { groupArn, shownGroup } from "../groups.ts";
import { pageOfAll } from "../paging.ts";
import { groups, nameKey } from "../store.ts";

export function listGroups(): Operation<Wire<ListGroupsRequest>, Wire<ListGroupsResponse>> {
  return {
    name: "ListGroups",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["PathPrefix", "MaxItems", "Marker"],
    },
    resources(input, { accountId }) {
      const arn = groupArn({ accountId, path: input.PathPrefix ?? "/", groupName: "" });
      return [{ arn, accountId }];
    },
    async handle(input, call) {
      const all = (await groups.list(call.records, call)).map(({ value }) => value);
      const under = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOfAll("ListGroups", input, under, (group) => nameKey(group.groupName));
      return { output: { Groups: page.entries.map(shownGroup), ...page.output } };
    },
  };
}
