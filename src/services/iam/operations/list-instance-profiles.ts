import type {
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse,
  ListInstanceProfilesRequest,
  ListInstanceProfilesResponse,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { listedProfile, profileArn, profilesOfRole } from "../instance-profiles.ts";
import { pageOfAll } from "../paging.ts";
import { requireRole, roleUse } from "../roles.ts";
import { instanceProfiles, nameKey } from "../store.ts";

export function listInstanceProfiles(): Operation<
  Wire<ListInstanceProfilesRequest>,
  Wire<ListInstanceProfilesResponse>
> {
  return {
    name: "ListInstanceProfiles",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["PathPrefix", "MaxItems", "Marker"],
    },
    resources(input, { accountId }) {
      const arn = profileArn({ accountId, path: input.PathPrefix ?? "/", profileName: "" });
      return [{ arn, accountId }];
    },
    async handle(input, call) {
      const all = (await instanceProfiles.list(call.records, call)).map(({ value }) => value);
      const under = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOfAll("ListInstanceProfiles", input, under, (one) =>
        nameKey(one.profileName),
      );
      const shown = await Promise.all(page.entries.map((one) => listedProfile(call, one)));
      return { output: { InstanceProfiles: shown, ...page.output } };
    },
  };
}

export function listInstanceProfilesForRole(): Operation<
  Wire<ListInstanceProfilesForRoleRequest>,
  Wire<ListInstanceProfilesForRoleResponse>
> {
  return {
    name: "ListInstanceProfilesForRole",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["RoleName", "MaxItems", "Marker"] },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const found = await profilesOfRole(call, await requireRole(call, input.RoleName));
      const page = pageOfAll("ListInstanceProfilesForRole", input, found, (one) =>
        nameKey(one.profileName),
      );
      const shown = await Promise.all(page.entries.map((one) => listedProfile(call, one)));
      return { output: { InstanceProfiles: shown, ...page.output } };
    },
  };
}
