import type { UntagUserRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { tagConditions, withoutTags } from "../tags.ts";
import { putUser, requireUser, userUse } from "../users.ts";

export function untagUser(): Operation<Wire<UntagUserRequest>, object> {
  return {
    name: "UntagUser",
    access: "tagging",
    audit: { category: "management", readOnly: false, request: ["UserName", "TagKeys"] },
    async resources(input, call) {
      const context = tagConditions(input.TagKeys);
      return [await userUse(call, input.UserName, { context })];
    },
    async handle(input, call) {
      const user = await requireUser(call, input.UserName);
      const tags = withoutTags(user.tags, input.TagKeys);
      return { output: {}, commands: [putUser({ ...user, tags })] };
    },
  };
}
