import type { ListRolesRequest, ListRolesResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { pageOfAll } from "../paging.ts";
import { roleArn } from "../role-arns.ts";
import { listedRole } from "../roles.ts";
import { nameKey, roles } from "../store.ts";

export function listRoles(): Operation<Wire<ListRolesRequest>, Wire<ListRolesResponse>> {
  return {
    name: "ListRoles",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["PathPrefix", "MaxItems", "Marker"],
    },
    resources(input, { accountId }) {
      const arn = roleArn({ accountId, path: input.PathPrefix ?? "/", roleName: "" });
      return [{ arn, accountId }];
    },
    async handle(input, call) {
      const all = (await roles.list(call.records, call)).map(({ value }) => value);
      const under = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOfAll("ListRoles", input, under, (role) => nameKey(role.roleName));
      const shown = await Promise.all(page.entries.map((role) => listedRole(call, role)));
      return { output: { Roles: shown, ...page.output } };
    },
  };
}
