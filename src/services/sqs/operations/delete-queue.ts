import type { DeleteQueueRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { deletedQueueRecords, queueRecords } from "../records.ts";
import type { DiscardQueue } from "../store.ts";

/** AWS: DeleteQueue. DIFFERS: the queue is gone at once, not after up to 60 seconds. */
export function deleteQueue(context: SqsContext): Operation<Wire<DeleteQueueRequest>, object> {
  return queueOperation({
    name: "DeleteQueue",
    access: "write",
    ownerOnly: true,
    audit: { category: "management", readOnly: false, request: ["QueueUrl"] },
    handle(_input, call, { scope, name, identity, arn }) {
      const discard: DiscardQueue = { kind: "sqs.discard", queue: identity };
      return {
        output: {},
        commands: [
          queueRecords.remove(scope, name),
          deletedQueueRecords.put(scope, name, { deletedMs: call.now }),
          discard,
        ],
        committed() {
          context.waiters.wakeAll(identity.queueId);
          context.metrics.forget(arn);
          context.queueDeleted?.(arn);
        },
      };
    },
  });
}
