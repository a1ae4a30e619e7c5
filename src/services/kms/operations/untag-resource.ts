import type { UntagResourceRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse, tagConditions } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireState } from "../states.ts";
import { requireTagKey, withoutTags } from "../tags.ts";

export function untagResource(
  dependencies: KmsDependencies,
): Operation<Wire<UntagResourceRequest>, object> {
  return {
    name: "UntagResource",
    access: "tagging",
    audit: { category: "management", readOnly: false, request: ["KeyId", "TagKeys"] },
    async resources(input, call) {
      const conditions = tagConditions(input.TagKeys.map(requireTagKey));
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireState(key, "change");
      const tags = withoutTags(key.tags, input.TagKeys);
      return { output: {}, ...saveKey(dependencies, key, { ...key, tags }) };
    },
  };
}
