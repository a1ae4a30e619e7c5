import type { Call } from "../../kernel/call.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { SqsContext } from "./ports.ts";
import type { Queue } from "./queue.ts";
import type { Receipt } from "./receipt-handle.ts";
import { expiredReceiptHandle, invalidValue } from "./refusals.ts";
import type { ChangeVisibility, VisibilityResult } from "./store.ts";

/** AWS: a message is held at most 12 hours after it was received. */
export const visibilitySecondsMax = 43_200;

export interface VisibilityWish {
  readonly handle: string;
  readonly receipt: Receipt;
  readonly seconds: number;
}

/**
 * Changes the visibility of received messages; per wish the refusal, or undefined if it was done. A
 * handle from before the message was received again changes nothing; on a standard queue that is no
 * fault. AWS?: that a FIFO queue tells of it, as it does when deleting.
 */
export async function changeVisibility(
  context: SqsContext,
  call: Call,
  queue: Queue,
  wishes: readonly VisibilityWish[],
): Promise<readonly (Refusal | undefined)[]> {
  const { queueId } = queue.identity;
  // A purge began another life of the queue: older handles name nothing any more.
  const present = wishes.filter(({ receipt }) => receipt.queueId === queueId);
  const nowMs = context.clock.now();
  const change: ChangeVisibility = {
    kind: "sqs.visibility",
    queue: queue.identity,
    nowMs,
    heldMsMax: visibilitySecondsMax * 1000,
    changes: present.map(({ receipt: { sequence, claimId }, seconds }) => ({
      sequence,
      claimId,
      visibleAtMs: nowMs + seconds * 1000,
    })),
  };
  const [results] = present.length > 0 ? await call.commit([change]) : [[]];
  return wishes.map((wish) => {
    const result = results[present.indexOf(wish)] ?? "absent";
    if (result === "changed") announce(context, queueId, nowMs, wish.seconds);
    const superseded = result === "superseded" && queue.fifo !== undefined;
    return superseded ? expiredReceiptHandle(wish.handle) : refusalOf(wish, result);
  });
}

function announce(context: SqsContext, queueId: string, nowMs: number, seconds: number): void {
  if (seconds === 0) context.waiters.wake(queueId, 1);
  else context.waiters.due(queueId, nowMs + seconds * 1000);
}

function refusalOf(
  { handle, seconds }: VisibilityWish,
  result: VisibilityResult,
): Refusal | undefined {
  if (result === "lapsed") return expiredReceiptHandle(handle);
  if (result === "absent") {
    return invalidValue(
      handle,
      "ReceiptHandle",
      "Message does not exist or is not available for visibility timeout change.",
    );
  }
  if (result === "beyond-limit") {
    // AWS: the text as clients met it (localstack 3956, aws-sdk-net 794).
    return invalidValue(
      seconds,
      "VisibilityTimeout",
      "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
    );
  }
  return undefined;
}
