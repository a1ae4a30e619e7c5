import type {
  CreateServiceLinkedRoleRequest,
  CreateServiceLinkedRoleResponse,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newEntityId } from "../identifiers.ts";
import { requireEntityQuota } from "../quotas.ts";
import { invalidInput } from "../refusals.ts";
import { roleArn } from "../role-arns.ts";
import { auditedRole, createdRole, findRole, putRole, roleResourceType } from "../roles.ts";
import { linkedRoleName, linkedRolePath } from "../service-linked-roles.ts";
import { type RoleRecord, roles } from "../store.ts";
import { prepareTrust } from "../trust.ts";

type Input = Wire<CreateServiceLinkedRoleRequest>;

export function createServiceLinkedRole(
  dependencies: IamDependencies,
): Operation<Input, Wire<CreateServiceLinkedRoleResponse>> {
  return {
    name: "CreateServiceLinkedRole",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["AWSServiceName", "Description", "CustomSuffix"],
      response: (output) => ({ role: auditedRole(output.Role) }),
    },
    resources({ AWSServiceName: service, CustomSuffix }, { accountId }) {
      const roleName = linkedRoleName(service, CustomSuffix);
      const arn = roleArn({ accountId, path: linkedRolePath(service), roleName });
      const context = { "iam:awsservicename": service };
      return [{ arn, accountId, context, type: roleResourceType }];
    },
    async handle({ AWSServiceName: service, CustomSuffix, Description }, call) {
      const roleName = linkedRoleName(service, CustomSuffix);
      if (await findRole(call, roleName)) {
        throw invalidInput(
          `Service role name ${roleName} has been taken in this account, please try a ` +
            "different suffix.",
        );
      }
      await requireEntityQuota(call, roles, "RolesPerAccount");
      const role: RoleRecord = {
        roleName,
        roleId: newEntityId("AROA", dependencies.random),
        accountId: call.accountId,
        path: linkedRolePath(service),
        createdMs: call.now,
        description: Description,
        maxSessionSeconds: 3600,
        trust: await prepareTrust(call.records, trustOf(service)),
        tags: {},
        policies: [],
        attached: [],
        linkedService: service,
      };
      return { output: { Role: await createdRole(call, role) }, commands: [putRole(role)] };
    },
  };
}

function trustOf(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}
