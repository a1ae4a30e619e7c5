import type { DeleteMessageRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { invalidReceiptHandle, readReceiptHandle } from "../receipt-handle.ts";
import { expiredReceiptHandle, missingParameter } from "../refusals.ts";
import { removeMessages } from "../remove.ts";

/**
 * AWS: DeleteMessage. Deleting twice is no fault. On a standard queue an expired handle deletes,
 * and one from before the message was received again leaves it; a FIFO queue refuses both.
 */
export function deleteMessage(context: SqsContext): Operation<Wire<DeleteMessageRequest>, object> {
  return queueOperation({
    name: "DeleteMessage",
    access: "write",
    audit: { category: "data", readOnly: false, request: ["QueueUrl", "ReceiptHandle"] },
    async handle({ ReceiptHandle: handle }, call, queue) {
      if (!handle) throw missingParameter("ReceiptHandle");
      const receipt = readReceiptHandle(context.tokens, queue, handle);
      if (!receipt) throw invalidReceiptHandle(handle);
      const { expired, commands, committed } = await removeMessages(context, call, queue, [
        receipt,
      ]);
      if (expired[0]) throw expiredReceiptHandle(handle);
      return { output: {}, commands, committed };
    },
  });
}
