import type { UntagQueueRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { queueOperation } from "../queue-operation.ts";
import { queueRecords } from "../records.ts";
import { missingParameter } from "../refusals.ts";

/** AWS: UntagQueue. Keys that are not there are no fault. */
export function untagQueue(): Operation<Wire<UntagQueueRequest>, object> {
  return queueOperation({
    name: "UntagQueue",
    access: "tagging",
    ownerOnly: true,
    context: ({ TagKeys }) => ({ "aws:tagkeys": TagKeys ?? [] }),
    audit: { category: "management", readOnly: false, request: ["QueueUrl", "TagKeys"] },
    handle({ TagKeys }, _call, { scope, name, record }) {
      if (!TagKeys?.length) throw missingParameter("TagKeys");
      const left = Object.entries(record.tags).filter(([key]) => !TagKeys.includes(key));
      const untagged = { ...record, tags: Object.fromEntries(left) };
      return { output: {}, commands: [queueRecords.put(scope, name, untagged)] };
    },
  });
}
