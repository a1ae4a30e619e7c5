import type { ListQueuesRequest, ListQueuesResult } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkMaxResults, makeNextToken, readNextToken, resultsMax } from "../paging.ts";
import { queueArn } from "../queue.ts";
import { formatQueueUrl } from "../queue-url.ts";
import { queueRecords } from "../records.ts";

/** AWS: ListQueues of the caller's account. NextToken comes only if MaxResults was given. */
export function listQueues(): Operation<Wire<ListQueuesRequest>, Wire<ListQueuesResult>> {
  return {
    name: "ListQueues",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["QueueNamePrefix", "MaxResults", "NextToken"],
    },
    // AWS?: the resource that is checked; identity policies name `*`.
    resources: (_input, call) => [{ arn: queueArn(call, ""), accountId: call.accountId }],
    async handle(input, call) {
      const wished = checkMaxResults(input.MaxResults);
      const count = wished ?? resultsMax;
      const entries = await queueRecords.list(call.records, call, {
        idPrefix: input.QueueNamePrefix || undefined,
        afterId: readNextToken(input.NextToken),
        limit: count + 1,
      });
      const names = entries.slice(0, count).map(({ id }) => id);
      const { baseUrl } = call.transport;
      const urls = names.map((name) => formatQueueUrl(baseUrl, call.accountId, name));
      const last = wished !== undefined && entries.length > count ? names.at(-1) : undefined;
      return {
        output: {
          ...(urls.length > 0 && { QueueUrls: urls }),
          ...(last !== undefined && { NextToken: makeNextToken(last) }),
        },
      };
    },
  };
}
