import type { Call } from "../../kernel/call.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { SqsContext } from "./ports.ts";
import type { Queue } from "./queue.ts";
import type { Receipt } from "./receipt-handle.ts";
import type { DeleteMessages, DeleteResult } from "./store.ts";

/** Deletions, and what makes them durable, if anything is left. */
export interface Removed extends Pick<Outcome<unknown>, "commands" | "committed"> {
  /** For each receipt whether its handle was too old to delete with. */
  readonly expired: readonly boolean[];
}

/**
 * Deletes received messages. On a standard queue that never fails: an expired handle deletes, one
 * from before the message was received again leaves it. A FIFO queue tells of both, which only the
 * store knows, so there the commit is done already.
 */
export async function removeMessages(
  context: SqsContext,
  call: Call,
  queue: Queue,
  receipts: readonly Receipt[],
): Promise<Removed> {
  const { identity, fifo } = queue;
  // A purge began another life of the queue: what older handles name is gone already.
  const present = receipts.filter(({ queueId }) => queueId === identity.queueId);
  const none = receipts.map(() => false);
  context.metrics.count(queue, "NumberOfMessagesDeleted", receipts.length);
  if (present.length === 0) return { expired: none };
  const messages = present.map(({ sequence, claimId }) => ({ sequence, claimId }));
  const remove: DeleteMessages = { kind: "sqs.delete", queue: identity, messages };
  if (!fifo) return { expired: none, commands: [remove] };
  const [results] = await call.commit([{ ...remove, fifoNowMs: context.clock.now() }]);
  // What was behind a deleted message of its group can be received now.
  const deleted = results.filter((result) => result === "deleted").length;
  if (deleted > 0) context.waiters.wake(identity.queueId, deleted);
  return {
    expired: receipts.map((receipt) => isExpired(results[present.indexOf(receipt)])),
  };
}

function isExpired(result: DeleteResult | undefined): boolean {
  return result === "lapsed" || result === "superseded";
}
