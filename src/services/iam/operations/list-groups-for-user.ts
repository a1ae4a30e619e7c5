import type { ListGroupsForUserRequest, ListGroupsForUserResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireGroup, shownGroup } from "../groups.ts";
import { pageOfAll } from "../paging.ts";
import { requireUser, userUse } from "../users.ts";

export function listGroupsForUser(): Operation<
  Wire<ListGroupsForUserRequest>,
  Wire<ListGroupsForUserResponse>
> {
  return {
    name: "ListGroupsForUser",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["UserName", "MaxItems", "Marker"] },
    resources: async (input, call) => [await userUse(call, input.UserName)],
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const page = pageOfAll("ListGroupsForUser", input, user.groups, (key) => key);
      const found = await Promise.all(page.entries.map((key) => requireGroup(call, key)));
      return { output: { Groups: found.map(shownGroup), ...page.output } };
    },
  };
}
