import type { CreateRoleRequest, CreateRoleResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newEntityId } from "../identifiers.ts";
import { requireBoundary } from "../managed-policies.ts";
import { requireEntityQuota } from "../quotas.ts";
import { alreadyExists, validationError } from "../refusals.ts";
import { roleArn } from "../role-arns.ts";
import { auditedRole, createdRole, findRole, putRole, roleResourceType } from "../roles.ts";
import { type RoleRecord, roles } from "../store.ts";
import { auditedTags, creationUses, mergedTags, requestedTags } from "../tags.ts";
import { prepareTrust } from "../trust.ts";

type Input = Wire<CreateRoleRequest>;

/** AWS: an hour, where the role says nothing. */
const maxSessionSecondsDefault = 3600;

export function createRole(
  dependencies: IamDependencies,
): Operation<Input, Wire<CreateRoleResponse>> {
  return {
    name: "CreateRole",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({
        roleName: input.RoleName,
        assumeRolePolicyDocument: input.AssumeRolePolicyDocument,
        ...(input.Path !== undefined && { path: input.Path }),
        ...(input.Description !== undefined && { description: input.Description }),
        ...(input.MaxSessionDuration !== undefined && {
          maxSessionDuration: input.MaxSessionDuration,
        }),
        ...(input.PermissionsBoundary !== undefined && {
          permissionsBoundary: input.PermissionsBoundary,
        }),
        ...auditedTags(input.Tags),
      }),
      response: (output) => ({ role: auditedRole(output.Role) }),
    },
    resources(input, { accountId }) {
      const arn = roleArn({ accountId, path: input.Path ?? "/", roleName: input.RoleName });
      return creationUses({ arn, accountId, type: roleResourceType }, "iam:TagRole", input);
    },
    async handle(input, call) {
      if (input.Path?.startsWith("/aws-service-role/")) {
        // AWS?: the text.
        throw validationError("The path /aws-service-role/ is for service-linked roles.");
      }
      if (await findRole(call, input.RoleName)) {
        throw alreadyExists(`Role with name ${input.RoleName} already exists.`);
      }
      await requireEntityQuota(call, roles, "RolesPerAccount");
      const { PermissionsBoundary } = input;
      const boundary =
        PermissionsBoundary === undefined
          ? undefined
          : await requireBoundary(call, PermissionsBoundary);
      const role: RoleRecord = {
        roleName: input.RoleName,
        roleId: newEntityId("AROA", dependencies.random),
        accountId: call.accountId,
        path: input.Path ?? "/",
        createdMs: call.now,
        description: input.Description,
        maxSessionSeconds: input.MaxSessionDuration ?? maxSessionSecondsDefault,
        trust: await prepareTrust(call.records, input.AssumeRolePolicyDocument),
        tags: mergedTags({}, requestedTags(input.Tags ?? [])),
        policies: [],
        attached: [],
        boundary,
      };
      return { output: { Role: await createdRole(call, role) }, commands: [putRole(role)] };
    },
  };
}
