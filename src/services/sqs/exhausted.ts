import type { Call } from "../../kernel/call.ts";
import { packSystem, type StoredSystemAttributes } from "./message.ts";
import { isInPlace, reportUnopenable } from "./open-claimed.ts";
import type { SqsContext } from "./ports.ts";
import { findQueue, type Queue } from "./queue.ts";
import type { ClaimedMessage, ClaimMessages, MoveMessages } from "./store.ts";

type Moving = MoveMessages["messages"][number];

/** A dead-letter queue that was deleted since keeps nothing back: messages are received on. */
export async function deadLetterTarget(call: Call, queue: Queue): Promise<Queue | undefined> {
  return queue.redrive && findQueue(call.records, queue.scope, queue.redrive.targetName);
}

/**
 * Moves what was received too often to the dead-letter queue. A failed move costs nothing: the
 * messages become visible again and are moved then.
 */
export async function moveExhausted(
  context: SqsContext,
  call: Call,
  queue: Queue,
  target: Queue,
  exhausted: readonly ClaimedMessage[],
  { claimId, nowMs }: ClaimMessages,
): Promise<void> {
  // INVARIANT: a new MAC is given only to what has a good one.
  const sound = exhausted.filter((message) => {
    if (isInPlace(context, queue, message)) return true;
    reportUnopenable(context, queue, message);
    return false;
  });
  if (sound.length === 0) return;
  const move: MoveMessages = {
    kind: "sqs.move",
    from: queue.identity,
    to: target.identity,
    nowMs,
    messages: sound.map((message) => moving(context, queue, target, message, claimId, nowMs)),
  };
  try {
    const [{ moved }] = await call.commit([move], { unconditional: true });
    context.waiters.wake(target.identity.queueId, moved);
    // What was behind an exhausted message of its group can be received now.
    if (queue.fifo) context.waiters.wake(queue.identity.queueId, moved);
  } catch (error) {
    context.log.error("messages could not be moved to the dead-letter queue", {
      queueArn: queue.arn,
      error: String(error),
    });
  }
}

function moving(
  context: SqsContext,
  queue: Queue,
  target: Queue,
  message: ClaimedMessage,
  claimId: string,
  nowMs: number,
): Moving {
  const { sequence, messageId, bytes } = message;
  return {
    sequence,
    claimId,
    placeMac: context.places.make(target.identity.queueId, messageId, bytes),
    deadLetterSourceArn: sourcesAfterMove(message.deadLetterSourceArn, queue.arn),
    // AWS: in a FIFO queue the time begins anew, and the message id stands for the deduplication
    // id.
    ...(queue.fifo && { sentMs: nowMs, systemAttributes: deadLetterAttributes(message) }),
  };
}

/** The queues that a message came through, last one first, each once: the way back of redrives. */
export function sourcesAfterMove(sources: string, fromArn: string): string {
  return [fromArn, ...sources.split(" ").filter((arn) => arn !== "" && arn !== fromArn)].join(" ");
}

/** The queue that a message came from last, and the way before that; `source` may be "". */
export function lastSource(sources: string): { readonly source: string; readonly before: string } {
  const [source = "", ...before] = sources.split(" ");
  return { source, before: before.join(" ") };
}

/** AWS: on the way between FIFO queues the message id becomes the deduplication id. */
export function deadLetterAttributes({ systemAttributes, messageId }: ClaimedMessage): string {
  // This process wrote the text, in `packSystem`.
  const stored = JSON.parse(systemAttributes || "{}") as StoredSystemAttributes;
  return packSystem(stored.AWSTraceHeader, messageId);
}
