import type { GetQueueAttributesRequest, GetQueueAttributesResult } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { shownAttributes } from "../attributes.ts";
import type { SqsContext } from "../ports.ts";
import type { Queue } from "../queue.ts";
import { queueOperation } from "../queue-operation.ts";
import { unknownAttribute } from "../refusals.ts";
import type { CountMessages } from "../store.ts";

const countNames = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/** Every name that may be asked for; those of FIFO queues are simply not there. */
const knownNames: ReadonlySet<string> = new Set([
  ...countNames,
  "All",
  "QueueArn",
  "CreatedTimestamp",
  "LastModifiedTimestamp",
  "DelaySeconds",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "ReceiveMessageWaitTimeSeconds",
  "VisibilityTimeout",
  "Policy",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
  "SqsManagedSseEnabled",
  "FifoQueue",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
]);

/** AWS: GetQueueAttributes. DIFFERS: the counts are exact. */
export function getQueueAttributes(
  context: SqsContext,
): Operation<Wire<GetQueueAttributesRequest>, Wire<GetQueueAttributesResult>> {
  return queueOperation({
    name: "GetQueueAttributes",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["QueueUrl", "AttributeNames"] },
    async handle({ AttributeNames }, _call, queue) {
      const names: readonly string[] = AttributeNames ?? [];
      const unknown = names.find((name) => !knownNames.has(name));
      if (unknown !== undefined) throw unknownAttribute(unknown);
      const wants = names.includes("All") ? () => true : (name: string) => names.includes(name);
      const all = {
        ...shownAttributes(queue.record.attributes, queue.record.policy?.text),
        ...fixedAttributes(queue),
        ...(countNames.some(wants) && (await countsOf(context, queue))),
      };
      const wished = Object.entries(all).filter(([name]) => wants(name));
      return { output: wished.length > 0 ? { Attributes: Object.fromEntries(wished) } : {} };
    },
  });
}

function fixedAttributes({ arn, record }: Queue): Record<string, string> {
  const seconds = (ms: number) => String(Math.floor(ms / 1000));
  return {
    QueueArn: arn,
    CreatedTimestamp: seconds(record.createdMs),
    LastModifiedTimestamp: seconds(record.modifiedMs),
  };
}

async function countsOf(context: SqsContext, queue: Queue): Promise<Record<string, string>> {
  const nowMs = context.clock.now();
  const query: CountMessages = {
    kind: "sqs.counts",
    queue: queue.identity,
    nowMs,
    retainedSinceMs: nowMs - queue.retentionMs,
  };
  const { visible, inFlight, delayed } = await context.store.query(query);
  return {
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
}
