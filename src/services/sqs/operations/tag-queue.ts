import type { TagQueueRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { queueOperation } from "../queue-operation.ts";
import { queueRecords } from "../records.ts";
import { addTags, requireTags, tagContext } from "../tags.ts";

/** AWS: TagQueue. */
export function tagQueue(): Operation<Wire<TagQueueRequest>, object> {
  return queueOperation({
    name: "TagQueue",
    access: "tagging",
    ownerOnly: true,
    context: ({ Tags }) => tagContext(Tags),
    audit: { category: "management", readOnly: false, request: ["QueueUrl", "Tags"] },
    handle({ Tags }, _call, { scope, name, record }) {
      const tags = addTags(name, record.tags, requireTags(Tags));
      return { output: {}, commands: [queueRecords.put(scope, name, { ...record, tags })] };
    },
  });
}
