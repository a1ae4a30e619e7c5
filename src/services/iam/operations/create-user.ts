import type { CreateUserRequest, CreateUserResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newUserId } from "../identifiers.ts";
import { alreadyExists, notAvailable } from "../refusals.ts";
import type { UserRecord } from "../store.ts";
import { mergedTags, requestedTags, tagConditions } from "../tags.ts";
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
        ...(input.Tags && { tags: input.Tags.map((tag) => ({ key: tag.Key, value: tag.Value })) }),
      }),
      response: (output) => ({ user: auditedUser(output.User) }),
    },
    resources(input, call) {
      if (input.PermissionsBoundary !== undefined) throw notAvailable("PermissionsBoundary");
      const tags = requestedTags(input.Tags ?? []);
      const context = tagConditions(Object.keys(tags), tags);
      const { accountId } = call;
      const arn = userArn({ accountId, path: input.Path ?? "/", userName: input.UserName });
      const use = { arn, accountId, context, type: userResourceType };
      if (Object.keys(tags).length === 0) return [use];
      return [use, { ...use, action: "iam:TagUser" }];
    },
    async handle(input, call) {
      if (await findUser(call, input.UserName)) {
        throw alreadyExists(`User with name ${input.UserName} already exists.`);
      }
      const user: UserRecord = {
        userName: input.UserName,
        userId: newUserId(dependencies.random),
        accountId: call.accountId,
        path: input.Path ?? "/",
        createdMs: call.now,
        tags: mergedTags({}, requestedTags(input.Tags ?? [])),
        policies: [],
        accessKeyIds: [],
      };
      return { output: { User: shownUser(user) }, commands: [putUser(user)] };
    },
  };
}
