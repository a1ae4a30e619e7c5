import type { ListQueueTagsRequest, ListQueueTagsResult } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { queueOperation } from "../queue-operation.ts";

/** AWS: ListQueueTags; no `Tags` if there are none. */
export function listQueueTags(): Operation<Wire<ListQueueTagsRequest>, Wire<ListQueueTagsResult>> {
  return queueOperation({
    name: "ListQueueTags",
    access: "read",
    ownerOnly: true,
    audit: { category: "management", readOnly: true, request: ["QueueUrl"] },
    handle(_input, _call, { record: { tags } }) {
      return { output: Object.keys(tags).length > 0 ? { Tags: tags } : {} };
    },
  });
}
