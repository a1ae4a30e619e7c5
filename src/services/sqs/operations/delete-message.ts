import type { DeleteMessageRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { invalidReceiptHandle, readReceiptHandle } from "../receipt-handle.ts";
import { missingParameter } from "../refusals.ts";
import type { DeleteMessages } from "../store.ts";

/**
 * AWS: DeleteMessage. Deleting twice is no fault; an expired handle deletes; a handle from before
 * the message was received again leaves it.
 */
export function deleteMessage(context: SqsContext): Operation<Wire<DeleteMessageRequest>, object> {
  return queueOperation({
    name: "DeleteMessage",
    access: "write",
    audit: { category: "data", readOnly: false, request: ["QueueUrl", "ReceiptHandle"] },
    handle({ ReceiptHandle: handle }, _call, queue) {
      if (!handle) throw missingParameter("ReceiptHandle");
      const receipt = readReceiptHandle(context.tokens, queue, handle);
      if (!receipt) throw invalidReceiptHandle(handle);
      // A purge began another life of the queue: what the handle names is gone already.
      if (receipt.queueId !== queue.identity.queueId) return { output: {} };
      const remove: DeleteMessages = {
        kind: "sqs.delete",
        queue: queue.identity,
        messages: [{ sequence: receipt.sequence, claimId: receipt.claimId }],
      };
      return { output: {}, commands: [remove] };
    },
  });
}
