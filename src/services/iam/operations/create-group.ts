import type { CreateGroupRequest, CreateGroupResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { findGroup, groupArn, groupResourceType, putGroup, shownGroup } from "../groups.ts";
import { newEntityId } from "../identifiers.ts";
import { requireEntityQuota } from "../quotas.ts";
import { alreadyExists } from "../refusals.ts";
import { groups } from "../store.ts";
import { auditDate } from "../users.ts";

export function createGroup(
  dependencies: IamDependencies,
): Operation<Wire<CreateGroupRequest>, Wire<CreateGroupResponse>> {
  return {
    name: "CreateGroup",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["GroupName", "Path"],
      response: ({ Group: group }) => ({
        group: {
          path: group.Path,
          groupName: group.GroupName,
          groupId: group.GroupId,
          arn: group.Arn,
          createDate: auditDate(group.CreateDate),
        },
      }),
    },
    resources(input, { accountId }) {
      const arn = groupArn({ accountId, path: input.Path ?? "/", groupName: input.GroupName });
      return [{ arn, accountId, type: groupResourceType }];
    },
    async handle(input, call) {
      if (await findGroup(call, input.GroupName)) {
        throw alreadyExists(`Group with name ${input.GroupName} already exists.`);
      }
      await requireEntityQuota(call, groups, "GroupsPerAccount");
      const group = {
        groupName: input.GroupName,
        groupId: newEntityId("AGPA", dependencies.random),
        accountId: call.accountId,
        path: input.Path ?? "/",
        createdMs: call.now,
        policies: [],
        attached: [],
      };
      return { output: { Group: shownGroup(group) }, commands: [putGroup(group)] };
    },
  };
}
