import type { GetQueueUrlRequest, GetQueueUrlResult } from "@aws-sdk/client-sqs";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { findQueue, type Queue } from "../queue.ts";
import { formatQueueUrl } from "../queue-url.ts";
import { invalidParameter, queueDoesNotExist } from "../refusals.ts";

type Input = Wire<GetQueueUrlRequest>;

/** AWS: GetQueueUrl, also of another account's queue where its policy allows that. */
export function getQueueUrl(): Operation<Input, Wire<GetQueueUrlResult>> {
  return {
    name: "GetQueueUrl",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      request: ["QueueName", "QueueOwnerAWSAccountId"],
    },
    resources: async (input, call) => (await named(input, call)).uses,
    async handle(input, call) {
      const { scope, name } = await named(input, call);
      return {
        output: { QueueUrl: formatQueueUrl(call.transport.baseUrl, scope.accountId, name) },
      };
    },
  };
}

async function named(input: Input, call: Call): Promise<Queue> {
  if (input.QueueName === "") {
    throw invalidParameter(
      "Value for parameter QueueName is invalid. Reason: Must specify a queue name.",
    );
  }
  const accountId = input.QueueOwnerAWSAccountId || call.accountId;
  const scope = { accountId, region: call.region };
  const queue = await findQueue(call.records, scope, input.QueueName);
  if (!queue) throw queueDoesNotExist();
  return queue;
}
