import type { DeleteMessageBatchRequest, DeleteMessageBatchResult } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditBatch } from "../audit.ts";
import { batchResult, checkBatch, type FailedEntry, failedEntry } from "../batch.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { type Receipt, readReceiptHandle } from "../receipt-handle.ts";
import { expiredReceiptHandle } from "../refusals.ts";
import { removeMessages } from "../remove.ts";

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
    async handle(input, call, queue) {
      const entries = checkBatch(input.Entries, "DeleteMessageBatchRequestEntry");
      const successful: { readonly Id: string }[] = [];
      const failed: FailedEntry[] = [];
      const wishes: { readonly Id: string; readonly handle: string; readonly receipt: Receipt }[] =
        [];
      for (const { Id, ReceiptHandle: handle = "" } of entries) {
        const receipt = readReceiptHandle(context.tokens, queue, handle);
        if (receipt) wishes.push({ Id, handle, receipt });
        else failed.push(invalidHandleEntry(Id, handle));
      }
      const receipts = wishes.map(({ receipt }) => receipt);
      const { expired, commands, committed } = await removeMessages(context, call, queue, receipts);
      for (const [index, { Id, handle }] of wishes.entries()) {
        if (expired[index]) failed.push(failedEntry(Id, expiredReceiptHandle(handle)));
        else successful.push({ Id });
      }
      return { output: batchResult(successful, failed), commands, committed };
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
