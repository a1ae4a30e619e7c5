import type { TagResourceRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse, tagConditions } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireState } from "../states.ts";
import { mergedTags, requestedTags } from "../tags.ts";

export function tagResource(
  dependencies: KmsDependencies,
): Operation<Wire<TagResourceRequest>, object> {
  return {
    name: "TagResource",
    access: "tagging",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({
        keyId: input.KeyId,
        tags: input.Tags.map((tag) => ({ tagKey: tag.TagKey, tagValue: tag.TagValue })),
      }),
    },
    async resources(input, call) {
      const conditions = tagConditions(requestedTags(input.Tags));
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireState(key, "change");
      const tags = mergedTags(key.tags, requestedTags(input.Tags));
      return { output: {}, ...saveKey(dependencies, key, { ...key, tags }) };
    },
  };
}
