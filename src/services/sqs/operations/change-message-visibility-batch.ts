import type {
  ChangeMessageVisibilityBatchRequest,
  ChangeMessageVisibilityBatchResult,
} from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditBatch } from "../audit.ts";
import { batchResult, checkBatch, type FailedEntry, failedEntry } from "../batch.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { readReceiptHandle } from "../receipt-handle.ts";
import { invalidParameter } from "../refusals.ts";
import { changeVisibility, type VisibilityWish, visibilitySecondsMax } from "../visibility.ts";
import { invalidHandleEntry } from "./delete-message-batch.ts";

/** AWS: ChangeMessageVisibilityBatch. Each entry succeeds or fails alone. */
export function changeMessageVisibilityBatch(
  context: SqsContext,
): Operation<
  Wire<ChangeMessageVisibilityBatchRequest>,
  Partial<Wire<ChangeMessageVisibilityBatchResult>>
> {
  return queueOperation({
    name: "ChangeMessageVisibilityBatch",
    action: "sqs:ChangeMessageVisibility",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: (input) => auditBatch(input, ["Id", "ReceiptHandle", "VisibilityTimeout"]),
      response: ["Successful", "Failed"],
    },
    async handle(input, call, queue) {
      const entries = checkBatch(input.Entries, "ChangeMessageVisibilityBatchRequestEntry");
      const wishes: (VisibilityWish & { readonly id: string })[] = [];
      const failed: FailedEntry[] = [];
      for (const { Id: id, ReceiptHandle: handle = "", VisibilityTimeout: seconds } of entries) {
        const receipt = readReceiptHandle(context.tokens, queue, handle);
        if (!receipt) failed.push(invalidHandleEntry(id, handle));
        else if (seconds === undefined || seconds < 0 || seconds > visibilitySecondsMax) {
          failed.push(failedEntry(id, invalidParameter(rangeText)));
        } else wishes.push({ id, handle, receipt, seconds });
      }
      const refusals = await changeVisibility(context, call, queue, wishes);
      const successful: { readonly Id: string }[] = [];
      for (const [index, { id }] of wishes.entries()) {
        const refusal = refusals[index];
        if (refusal) failed.push(failedEntry(id, refusal));
        else successful.push({ Id: id });
      }
      return { output: batchResult(successful, failed) };
    },
  });
}

/** AWS: not the wording of a single change. */
const rangeText = "VisibilityTimeout must be an integer between 0 and 43200.";
