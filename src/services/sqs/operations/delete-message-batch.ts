import type { DeleteMessageBatchRequest, DeleteMessageBatchResult } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditBatch } from "../audit.ts";
import { batchResult, checkBatch, type FailedEntry } from "../batch.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { readReceiptHandle } from "../receipt-handle.ts";
import type { DeleteMessages, MessageClaim } from "../store.ts";

/** AWS: DeleteMessageBatch. An entry with a handle that is none fails alone. */
export function deleteMessageBatch(
  context: SqsContext,
): Operation<Wire<DeleteMessageBatchRequest>, Partial<Wire<DeleteMessageBatchResult>>> {
  return queueOperation({
    name: "DeleteMessageBatch",
    action: "sqs:DeleteMessage",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: (input) => auditBatch(input, ["Id", "ReceiptHandle"]),
      response: ["Successful", "Failed"],
    },
    handle(input, _call, queue) {
      const entries = checkBatch(input.Entries, "DeleteMessageBatchRequestEntry");
      const successful: { readonly Id: string }[] = [];
      const failed: FailedEntry[] = [];
      const messages: MessageClaim[] = [];
      for (const { Id, ReceiptHandle: handle = "" } of entries) {
        const receipt = readReceiptHandle(context.tokens, queue, handle);
        if (!receipt) {
          failed.push(invalidHandleEntry(Id, handle));
          continue;
        }
        successful.push({ Id });
        if (receipt.queueId === queue.identity.queueId) {
          messages.push({ sequence: receipt.sequence, claimId: receipt.claimId });
        }
      }
      const output = batchResult(successful, failed);
      if (messages.length === 0) return { output };
      const remove: DeleteMessages = { kind: "sqs.delete", queue: queue.identity, messages };
      return { output, commands: [remove] };
    },
  });
}

/** AWS: not the wording of a single delete. */
export function invalidHandleEntry(Id: string, handle: string): FailedEntry {
  return {
    Id,
    SenderFault: true,
    Code: "ReceiptHandleIsInvalid",
    Message: `The input receipt handle "${handle}" is not valid.`,
  };
}
