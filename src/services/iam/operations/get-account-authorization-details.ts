import type {
  EntityType,
  GetAccountAuthorizationDetailsRequest,
  GetAccountAuthorizationDetailsResponse,
} from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { entitiesOf, useCounts } from "../attachments.ts";
import type { AccessKeyUsage, IamDependencies } from "../dependencies.ts";
import { groupDetail, policyDetail, roleDetail, userDetail } from "../details.ts";
import { awsManaged, ofCustomer } from "../managed-policies.ts";
import { pageOfAll } from "../paging.ts";
import { accountScope, managedPolicies, nameKey } from "../store.ts";

type Output = Wire<GetAccountAuthorizationDetailsResponse>;
type List = "UserDetailList" | "GroupDetailList" | "RoleDetailList" | "Policies";

/** One entity with its place in the order of all: by kind, then by name. */
interface Entry {
  readonly filter: EntityType;
  readonly list: List;
  readonly id: string;
  detail(): Promise<object>;
}

export function getAccountAuthorizationDetails({
  accessKeyUsage,
}: IamDependencies): Operation<Wire<GetAccountAuthorizationDetailsRequest>, Output> {
  return {
    name: "GetAccountAuthorizationDetails",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["Filter", "MaxItems", "Marker"] },
    resources: (_input, { accountId }) => [{ arn: "*", accountId }],
    async handle(input, call) {
      const wanted = input.Filter ?? [];
      const all = (await entries(call, accessKeyUsage)).filter(
        ({ filter }) => wanted.length === 0 || wanted.includes(filter),
      );
      const page = pageOfAll("GetAccountAuthorizationDetails", input, all, ({ id }) => id);
      const output: Record<List, object[]> = {
        UserDetailList: [],
        GroupDetailList: [],
        RoleDetailList: [],
        Policies: [],
      };
      for (const entry of page.entries) output[entry.list].push(await entry.detail());
      return { output: { ...output, ...page.output } as Output };
    },
  };
}

async function entries(call: Call, usage: AccessKeyUsage): Promise<readonly Entry[]> {
  const { users, groups, roles } = await entitiesOf(call.records, call.accountId);
  const own = await managedPolicies.list(call.records, accountScope(call.accountId));
  const counts = await useCounts(call.records, call.accountId);
  const used = [...awsManaged.values()].filter(
    ({ arn }) => counts.attached.has(arn) || counts.boundaries.has(arn),
  );
  const policies = [...own.map(({ value }) => ofCustomer(value)), ...used];
  return [
    ...users.map((user) => ({
      filter: "User" as const,
      list: "UserDetailList" as const,
      id: `1/${nameKey(user.userName)}`,
      detail: () => userDetail(call, user),
    })),
    ...groups.map((group) => ({
      filter: "Group" as const,
      list: "GroupDetailList" as const,
      id: `2/${nameKey(group.groupName)}`,
      detail: () => groupDetail(call, group),
    })),
    ...roles.map((role) => ({
      filter: "Role" as const,
      list: "RoleDetailList" as const,
      id: `3/${nameKey(role.roleName)}`,
      detail: () => roleDetail(call, role, usage),
    })),
    ...policies.map((policy) => ({
      filter: policy.record ? ("LocalManagedPolicy" as const) : ("AWSManagedPolicy" as const),
      list: "Policies" as const,
      id: `4/${policy.arn}`,
      detail: async () => policyDetail(policy, counts),
    })),
  ];
}
