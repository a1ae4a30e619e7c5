import type {
  DeleteServiceLinkedRoleRequest,
  DeleteServiceLinkedRoleResponse,
  GetServiceLinkedRoleDeletionStatusRequest,
  GetServiceLinkedRoleDeletionStatusResponse,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { invalidInput, noSuchEntity } from "../refusals.ts";
import { requireRole, roleUse } from "../roles.ts";
import { accountScope, nameKey, roleDeletions, roles } from "../store.ts";

/** AWS: a task that may take a while; here nothing holds the role, so it is done at once. */
export function deleteServiceLinkedRole(
  dependencies: IamDependencies,
): Operation<Wire<DeleteServiceLinkedRoleRequest>, Wire<DeleteServiceLinkedRoleResponse>> {
  return {
    name: "DeleteServiceLinkedRole",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["RoleName"],
      response: ["DeletionTaskId"],
    },
    resources: async (input, call) => [await roleUse(call, input.RoleName)],
    async handle(input, call) {
      const { roleName, linkedService, createdMs } = await requireRole(call, input.RoleName);
      if (linkedService === undefined) {
        // AWS?: the text.
        throw invalidInput(`${roleName} is not a service-linked role.`);
      }
      const task = `task/aws-service-role/${linkedService}/${roleName}/${dependencies.random.uuid()}`;
      const scope = accountScope(call.accountId);
      return {
        output: { DeletionTaskId: task },
        commands: [
          roles.remove(scope, nameKey(roleName)),
          roleDeletions.put(scope, task, { roleName, createdMs }),
        ],
      };
    },
  };
}

export function getServiceLinkedRoleDeletionStatus(): Operation<
  Wire<GetServiceLinkedRoleDeletionStatusRequest>,
  Wire<GetServiceLinkedRoleDeletionStatusResponse>
> {
  return {
    name: "GetServiceLinkedRoleDeletionStatus",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["DeletionTaskId"] },
    async resources(input, call) {
      const [, , , roleName = ""] = input.DeletionTaskId.split("/");
      return [await roleUse(call, roleName)];
    },
    async handle(input, call) {
      const task = await roleDeletions.get(
        call.records,
        accountScope(call.accountId),
        input.DeletionTaskId,
      );
      if (!task) throw noSuchEntity(`Deletion task ${input.DeletionTaskId} cannot be found.`);
      return { output: { Status: "SUCCEEDED" } };
    },
  };
}
