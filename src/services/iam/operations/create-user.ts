import type { CreateUserRequest, CreateUserResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newEntityId } from "../identifiers.ts";
import { requireBoundary } from "../managed-policies.ts";
import { requireEntityQuota } from "../quotas.ts";
import { alreadyExists } from "../refusals.ts";
import { type UserRecord, users } from "../store.ts";
import { auditedTags, creationUses, mergedTags, requestedTags } from "../tags.ts";
import { auditedUser, findUser, putUser, shownUser, userArn, userResourceType } from "../users.ts";

type Input = Wire<CreateUserRequest>;

export function createUser(
  dependencies: IamDependencies,
): Operation<Input, Wire<CreateUserResponse>> {
  return {
    name: "CreateUser",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({
        userName: input.UserName,
        ...(input.Path !== undefined && { path: input.Path }),
        ...(input.PermissionsBoundary !== undefined && {
          permissionsBoundary: input.PermissionsBoundary,
        }),
        ...auditedTags(input.Tags),
      }),
      response: (output) => ({ user: auditedUser(output.User) }),
    },
    resources(input, call) {
      const { accountId } = call;
      const arn = userArn({ accountId, path: input.Path ?? "/", userName: input.UserName });
      return creationUses({ arn, accountId, type: userResourceType }, "iam:TagUser", input);
    },
    async handle(input, call) {
      if (await findUser(call, input.UserName)) {
        throw alreadyExists(`User with name ${input.UserName} already exists.`);
      }
      await requireEntityQuota(call, users, "UsersPerAccount");
      const { PermissionsBoundary } = input;
      const boundary =
        PermissionsBoundary === undefined
          ? undefined
          : await requireBoundary(call, PermissionsBoundary);
      const user: UserRecord = {
        userName: input.UserName,
        userId: newEntityId("AIDA", dependencies.random),
        accountId: call.accountId,
        path: input.Path ?? "/",
        createdMs: call.now,
        tags: mergedTags({}, requestedTags(input.Tags ?? [])),
        policies: [],
        attached: [],
        boundary,
        groups: [],
        accessKeyIds: [],
      };
      return { output: { User: shownUser(user) }, commands: [putUser(user)] };
    },
  };
}
