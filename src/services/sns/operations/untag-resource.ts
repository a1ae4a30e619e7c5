import type { UntagResourceRequest } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { resourceDoesNotExist } from "../errors.ts";
import { topicOperation } from "../topic-operation.ts";
import { topicKind } from "../topics.ts";

/** AWS: UntagResource; keys that are not there are fine. */
export function untagResourceOperation(): Operation<Wire<UntagResourceRequest>, object> {
  return topicOperation<Wire<UntagResourceRequest>, object>({
    name: "UntagResource",
    access: "tagging",
    audit: { category: "management", readOnly: false, request: ["ResourceArn", "TagKeys"] },
    topicArn: ({ ResourceArn }) => ResourceArn,
    parameter: "ResourceArn",
    missing: resourceDoesNotExist,
    context: ({ TagKeys }) => (TagKeys.length > 0 ? { "aws:tagkeys": TagKeys } : undefined),
    handle({ TagKeys }, _call, topic) {
      const gone = new Set(TagKeys);
      const left = Object.entries(topic.tags).filter(([key]) => !gone.has(key));
      const tags = Object.fromEntries(left);
      return { output: {}, commands: [topicKind.put(topic, topic.name, { ...topic, tags })] };
    },
  });
}
