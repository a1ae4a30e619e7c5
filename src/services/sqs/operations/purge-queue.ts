import type { PurgeQueueRequest } from "@aws-sdk/client-sqs";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { queueRecords, restMs } from "../records.ts";
import type { DiscardQueue } from "../store.ts";

/** AWS: PurgeQueue, visible, delayed and in-flight messages. DIFFERS: done when it answers. */
export function purgeQueue(context: SqsContext): Operation<Wire<PurgeQueueRequest>, object> {
  return queueOperation({
    name: "PurgeQueue",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["QueueUrl"] },
    handle(_input, call, { scope, name, record, identity }) {
      if (record.purgedMs !== undefined && call.now - record.purgedMs < restMs) {
        throw new Refusal(
          "PurgeQueueInProgress",
          `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`,
        );
      }
      const discard: DiscardQueue = { kind: "sqs.discard", queue: identity };
      const queueId = context.random.bytes(16).toString("hex");
      const purged = { ...record, queueId, purgedMs: call.now };
      return {
        output: {},
        commands: [queueRecords.put(scope, name, purged), discard],
        // Consumers that wait at the old life of the queue go over to the new one.
        committed: () => context.waiters.wakeAll(identity.queueId),
      };
    },
  });
}
