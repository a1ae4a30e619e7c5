import type { ChangeMessageVisibilityRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { invalidReceiptHandle, readReceiptHandle } from "../receipt-handle.ts";
import { invalidValue, missingParameter, required } from "../refusals.ts";
import { changeVisibility, visibilitySecondsMax } from "../visibility.ts";

/** AWS: ChangeMessageVisibility. 0 makes the message visible at once. */
export function changeMessageVisibility(
  context: SqsContext,
): Operation<Wire<ChangeMessageVisibilityRequest>, object> {
  return queueOperation({
    name: "ChangeMessageVisibility",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: ["QueueUrl", "ReceiptHandle", "VisibilityTimeout"],
    },
    async handle({ ReceiptHandle: handle, VisibilityTimeout }, call, queue) {
      if (!handle) throw missingParameter("ReceiptHandle");
      const seconds = required(VisibilityTimeout, "VisibilityTimeout");
      if (seconds < 0 || seconds > visibilitySecondsMax) {
        throw invalidValue(seconds, "VisibilityTimeout", "Must be between 0 and 43200.");
      }
      const receipt = readReceiptHandle(context.tokens, queue, handle);
      if (!receipt) throw invalidReceiptHandle(handle);
      const wish = { handle, receipt, seconds };
      const [refusal] = await changeVisibility(context, call, queue, [wish]);
      if (refusal) throw refusal;
      return { output: {} };
    },
  });
}
