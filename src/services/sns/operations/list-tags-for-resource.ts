import type { ListTagsForResourceRequest, ListTagsForResourceResponse } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { resourceDoesNotExist } from "../errors.ts";
import { topicOperation } from "../topic-operation.ts";

/** AWS: ListTagsForResource. */
export function listTagsForResourceOperation(): Operation<
  Wire<ListTagsForResourceRequest>,
  Wire<ListTagsForResourceResponse>
> {
  return topicOperation<Wire<ListTagsForResourceRequest>, Wire<ListTagsForResourceResponse>>({
    name: "ListTagsForResource",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["ResourceArn"] },
    topicArn: ({ ResourceArn }) => ResourceArn,
    parameter: "ResourceArn",
    missing: resourceDoesNotExist,
    handle(_input, _call, topic) {
      const Tags = Object.entries(topic.tags).map(([Key, Value]) => ({ Key, Value }));
      return { output: { Tags } };
    },
  });
}
