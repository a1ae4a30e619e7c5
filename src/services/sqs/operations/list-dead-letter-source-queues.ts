import type {
  ListDeadLetterSourceQueuesRequest,
  ListDeadLetterSourceQueuesResult,
} from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkMaxResults, makeNextToken, readNextToken, resultsMax } from "../paging.ts";
import { queueOf } from "../queue.ts";
import { queueOperation } from "../queue-operation.ts";
import { formatQueueUrl } from "../queue-url.ts";
import { queueRecords } from "../records.ts";

type Input = Wire<ListDeadLetterSourceQueuesRequest>;
type Output = Wire<ListDeadLetterSourceQueuesResult>;

/** AWS: ListDeadLetterSourceQueues. */
export function listDeadLetterSourceQueues(): Operation<Input, Output> {
  return queueOperation<Input, Output>({
    name: "ListDeadLetterSourceQueues",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      request: ["QueueUrl", "MaxResults", "NextToken"],
    },
    async handle(input, call, { scope, arn }) {
      const wished = checkMaxResults(input.MaxResults);
      const count = wished ?? resultsMax;
      const afterId = readNextToken(input.NextToken);
      const entries = await queueRecords.list(call.records, scope, { afterId });
      const sources = entries
        .filter(({ id, value }) => queueOf(value, scope, id).redrive?.targetArn === arn)
        .map(({ id }) => id);
      const names = sources.slice(0, count);
      const { baseUrl } = call.transport;
      const last = wished !== undefined && sources.length > count ? names.at(-1) : undefined;
      return {
        output: {
          queueUrls: names.map((name) => formatQueueUrl(baseUrl, scope.accountId, name)),
          ...(last !== undefined && { NextToken: makeNextToken(last) }),
        },
      };
    },
  });
}
