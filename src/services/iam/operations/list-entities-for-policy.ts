import type {
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { type Entities, entitiesOf } from "../attachments.ts";
import { policyUse, requireManagedPolicy } from "../managed-policies.ts";
import { pageOfAll } from "../paging.ts";
import { nameKey } from "../store.ts";

type Input = Wire<ListEntitiesForPolicyRequest>;

interface Entity {
  readonly kind: "Group" | "Role" | "User";
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly attached: readonly string[];
  readonly boundary?: string | undefined;
}

export function listEntitiesForPolicy(): Operation<Input, Wire<ListEntitiesForPolicyResponse>> {
  return {
    name: "ListEntitiesForPolicy",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: [
        "PolicyArn",
        "EntityFilter",
        "PathPrefix",
        "PolicyUsageFilter",
        "MaxItems",
        "Marker",
      ],
    },
    resources: async (input, call) => [await policyUse(call, input.PolicyArn)],
    async handle(input, call) {
      const { arn } = await requireManagedPolicy(call, input.PolicyArn);
      const all = entitiesIn(await entitiesOf(call.records, call.accountId));
      const found = all
        .filter((entity) => uses(entity, arn, input.PolicyUsageFilter))
        .filter(({ kind }) => input.EntityFilter === undefined || input.EntityFilter === kind)
        .filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      const page = pageOfAll("ListEntitiesForPolicy", input, found, idOf);
      const of = (kind: Entity["kind"]) => page.entries.filter((entity) => entity.kind === kind);
      return {
        output: {
          PolicyGroups: of("Group").map(({ name, id }) => ({ GroupName: name, GroupId: id })),
          PolicyUsers: of("User").map(({ name, id }) => ({ UserName: name, UserId: id })),
          PolicyRoles: of("Role").map(({ name, id }) => ({ RoleName: name, RoleId: id })),
          ...page.output,
        },
      };
    },
  };
}

function idOf({ kind, name }: Entity): string {
  return `${kind}/${nameKey(name)}`;
}

function uses(entity: Entity, arn: string, filter: Input["PolicyUsageFilter"]): boolean {
  const attached = filter !== "PermissionsBoundary" && entity.attached.includes(arn);
  return attached || (filter !== "PermissionsPolicy" && entity.boundary === arn);
}

function entitiesIn({ users, groups, roles }: Entities): readonly Entity[] {
  return [
    ...users.map((one) => ({ ...one, kind: "User" as const, name: one.userName, id: one.userId })),
    ...groups.map((one) => ({
      ...one,
      kind: "Group" as const,
      name: one.groupName,
      id: one.groupId,
    })),
    ...roles.map((one) => ({ ...one, kind: "Role" as const, name: one.roleName, id: one.roleId })),
  ];
}
