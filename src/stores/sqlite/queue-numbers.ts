import type { DatabaseSync } from "node:sqlite";
import type { QueueIdentity } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";

/**
 * Short names of queues: what rows and indexes of messages begin with, so that each is a few bytes.
 * INVARIANT: a number is never given out twice, so what a queue left behind never meets another.
 */
export interface QueueNumbers {
  /** The number of this life of a queue, given out at its first use. */
  of(queue: QueueIdentity): number;
  /** The same without giving one out; 0, which is nobody's: it has no rows. */
  find(queue: QueueIdentity): number;
  /** Forgets a number that no row has any more. */
  release(number: number): void;
  /** Something was rolled back. */
  reload(): void;
}

/** `isRemembered` tells whether sends under a number are still remembered. */
export function createQueueNumbers(
  database: DatabaseSync,
  isRemembered: (number: number) => boolean,
): QueueNumbers {
  const numbers = new Map<string, number>();
  const get = prepare<{ number: number }>(
    database,
    "SELECT number FROM queue_numbers WHERE account_id = ? AND region = ? AND queue_id = ?",
  );
  const count = prepare<{ next: number }>(
    database,
    `UPDATE counters SET reserved_until = reserved_until + 1 WHERE name = 'queue'
       RETURNING reserved_until - 1 AS next`,
  );
  const put = prepare(
    database,
    "INSERT INTO queue_numbers (number, account_id, region, queue_id) VALUES (?, ?, ?, ?)",
  );
  const remove = prepare(
    database,
    `DELETE FROM queue_numbers WHERE number = ?1
        AND NOT EXISTS (SELECT 1 FROM message_bodies WHERE queue = ?1)
        AND NOT EXISTS (SELECT 1 FROM receive_attempts WHERE queue = ?1)
        AND NOT EXISTS (SELECT 1 FROM discarded_queues WHERE queue = ?1)`,
  );

  function find({ accountId, region, queueId }: QueueIdentity): number {
    const key = `${accountId}/${region}/${queueId}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = get.get(accountId, region, queueId)?.number ?? 0;
    if (number > 0) numbers.set(key, number);
    return number;
  }

  return {
    find,
    of(queue) {
      const known = find(queue);
      if (known > 0) return known;
      const number = count.get()?.next ?? 0;
      put.run(number, queue.accountId, queue.region, queue.queueId);
      return find(queue);
    },
    release(number) {
      if (isRemembered(number)) return;
      if (remove.run(number) > 0) numbers.clear();
    },
    reload: () => numbers.clear(),
  };
}
