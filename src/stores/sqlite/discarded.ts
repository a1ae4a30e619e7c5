import type { DatabaseSync } from "node:sqlite";
import type { DiscardQueue, QueueIdentity, SweepDiscarded } from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import { queueKey, type Tallies } from "./tallies.ts";

/** Queues whose life ended and whose messages wait to be swept. */
export interface Discarded {
  readonly acts: Acts<DiscardQueue | SweepDiscarded>;
  has(queue: QueueIdentity): boolean;
  /** Something was rolled back: read anew. */
  reload(): void;
}

export function createDiscarded(database: DatabaseSync, tallies: Tallies): Discarded {
  const list = prepare<QueueIdentity>(
    database,
    "SELECT account_id AS accountId, region, queue_id AS queueId FROM discarded_queues",
  );
  const add = prepare(database, "INSERT OR IGNORE INTO discarded_queues VALUES (?, ?, ?)");
  const remove = prepare(
    database,
    "DELETE FROM discarded_queues WHERE account_id = ? AND region = ? AND queue_id = ?",
  );
  const sweepFrom = (table: string) =>
    prepare(
      database,
      `DELETE FROM ${table} WHERE (account_id, region, queue_id, sequence) IN (
         SELECT account_id, region, queue_id, sequence FROM messages
          WHERE account_id = ? AND region = ? AND queue_id = ? ORDER BY sequence LIMIT ?)`,
    );
  const sweepGroups = prepare(
    database,
    `DELETE FROM message_groups WHERE (account_id, region, queue_id, group_id) IN (
       SELECT account_id, region, queue_id, group_id FROM message_groups
        WHERE account_id = ? AND region = ? AND queue_id = ? LIMIT ?)`,
  );
  // Bodies first: which rows go is read from `messages`.
  const sweepBodies = sweepFrom("message_bodies");
  const sweepMessages = sweepFrom("messages");
  const read = () => new Set(list.all().map(queueKey));
  let discarded = read();

  function sweep(rowsMax: number): { removed: number; more: boolean } {
    let removed = 0;
    for (const queue of list.all()) {
      const { accountId, region, queueId } = queue;
      const rows = rowsMax - removed;
      if (rows <= 0) return { removed, more: true };
      sweepBodies.run(accountId, region, queueId, rows);
      const swept = sweepMessages.run(accountId, region, queueId, rows);
      const groups = sweepGroups.run(accountId, region, queueId, rows);
      removed += swept;
      // A queue is forgotten once a sweep found fewer rows than it was allowed to take.
      if (swept === rows || groups === rows) return { removed, more: true };
      remove.run(accountId, region, queueId);
      discarded.delete(queueKey(queue));
    }
    return { removed, more: false };
  }

  return {
    acts: {
      "sqs.discard": ({ queue }) => {
        add.run(queue.accountId, queue.region, queue.queueId);
        discarded.add(queueKey(queue));
        tallies.drop(queue);
        return undefined;
      },
      "sqs.sweep": ({ rowsMax }) => sweep(rowsMax),
    },
    has: (queue) => discarded.size > 0 && discarded.has(queueKey(queue)),
    reload() {
      discarded = read();
    },
  };
}
