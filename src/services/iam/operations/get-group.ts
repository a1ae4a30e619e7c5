import type { GetGroupRequest, GetGroupResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { usersInGroup } from "../attachments.ts";
import { groupUse, requireGroup, shownGroup } from "../groups.ts";
import { pageOfAll } from "../paging.ts";
import { nameKey } from "../store.ts";
import { listedUser } from "../users.ts";

export function getGroup(): Operation<Wire<GetGroupRequest>, Wire<GetGroupResponse>> {
  return {
    name: "GetGroup",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["GroupName", "MaxItems", "Marker"] },
    resources: async (input, call) => [await groupUse(call, input.GroupName)],
    async handle(input, call) {
      const group = await requireGroup(call, input.GroupName);
      const members = await usersInGroup(call.records, call.accountId, nameKey(group.groupName));
      const page = pageOfAll("GetGroup", input, members, (user) => nameKey(user.userName));
      return {
        output: { Group: shownGroup(group), Users: page.entries.map(listedUser), ...page.output },
      };
    },
  };
}
