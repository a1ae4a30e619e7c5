import type { TagUserRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { mergedTags, requestedTags, tagConditions } from "../tags.ts";
import { putUser, requireUser, userUse } from "../users.ts";

export function tagUser(): Operation<Wire<TagUserRequest>, object> {
  return {
    name: "TagUser",
    access: "tagging",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({
        userName: input.UserName,
        tags: input.Tags.map((tag) => ({ key: tag.Key, value: tag.Value })),
      }),
    },
    async resources(input, call) {
      const tags = requestedTags(input.Tags);
      const context = tagConditions(Object.keys(tags), tags);
      return [await userUse(call, input.UserName, { context })];
    },
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const tags = mergedTags(user.tags, requestedTags(input.Tags));
      return { output: {}, commands: [putUser({ ...user, tags })] };
    },
  };
}
