import type { TagResourceRequest } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { resourceDoesNotExist } from "../errors.ts";
import { mergeTags, readTags, requestTagContext } from "../tags.ts";
import { topicOperation } from "../topic-operation.ts";
import { topicKind } from "../topics.ts";

/** AWS: TagResource. */
export function tagResourceOperation(): Operation<Wire<TagResourceRequest>, object> {
  return topicOperation<Wire<TagResourceRequest>, object>({
    name: "TagResource",
    access: "tagging",
    audit: { category: "management", readOnly: false, request: ["ResourceArn", "Tags"] },
    topicArn: ({ ResourceArn }) => ResourceArn,
    parameter: "ResourceArn",
    missing: resourceDoesNotExist,
    context: ({ Tags }) => requestTagContext(readTags(Tags)),
    handle({ Tags }, _call, topic) {
      const tags = mergeTags(topic.tags, readTags(Tags));
      return { output: {}, commands: [topicKind.put(topic, topic.name, { ...topic, tags })] };
    },
  });
}
