import type { DatabaseSync } from "node:sqlite";
import type { DiscardQueue, QueueIdentity, SweepDiscarded } from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { QueueNumbers } from "./queue-numbers.ts";
import type { Spent } from "./spent.ts";
import type { Tallies } from "./tallies.ts";

/** Queues whose life ended and whose messages wait to be swept. */
export interface Discarded {
  readonly acts: Acts<DiscardQueue | SweepDiscarded>;
  has(queue: QueueIdentity): boolean;
  /** Something was rolled back: read anew. */
  reload(): void;
}

export interface DiscardTools {
  readonly numbers: QueueNumbers;
  readonly spent: Spent;
  readonly tallies: Tallies;
}

export function createDiscarded(
  database: DatabaseSync,
  { numbers, spent, tallies }: DiscardTools,
): Discarded {
  const list = prepare<{ queue: number }>(database, "SELECT queue FROM discarded_queues");
  const add = prepare(database, "INSERT OR IGNORE INTO discarded_queues VALUES (?)");
  const remove = prepare(database, "DELETE FROM discarded_queues WHERE queue = ?");
  // Bodies last: which rows go is read from them.
  const sweeps = ["message_states", "message_links", "message_bodies"].map((table) =>
    prepare(
      database,
      `DELETE FROM ${table} WHERE sequence IN (
         SELECT sequence FROM message_bodies INDEXED BY message_bodies_by_age
          WHERE queue = ? ORDER BY sent_ms, sequence LIMIT ?)`,
    ),
  );
  const sweepGroups = prepare(
    database,
    `DELETE FROM message_groups WHERE (queue, group_id) IN (
       SELECT queue, group_id FROM message_groups WHERE queue = ? LIMIT ?)`,
  );
  const read = () => new Set(list.all().map(({ queue }) => queue));
  let discarded = read();

  function sweep(rowsMax: number): { removed: number; more: boolean } {
    spent.sweep();
    let removed = 0;
    for (const queue of [...discarded]) {
      const rows = rowsMax - removed;
      if (rows <= 0) return { removed, more: true };
      const [, , swept = 0] = sweeps.map((statement) => statement.run(queue, rows));
      const groups = sweepGroups.run(queue, rows);
      removed += swept;
      // A queue is forgotten once a sweep found fewer rows than it was allowed to take.
      if (swept === rows || groups === rows) return { removed, more: true };
      remove.run(queue);
      discarded.delete(queue);
      numbers.release(queue);
    }
    return { removed, more: false };
  }

  return {
    acts: {
      "sqs.discard": ({ queue }) => {
        const number = numbers.of(queue);
        add.run(number);
        discarded.add(number);
        tallies.drop(number);
        return undefined;
      },
      "sqs.sweep": ({ rowsMax }) => sweep(rowsMax),
    },
    has: (queue) => discarded.size > 0 && discarded.has(numbers.find(queue)),
    reload() {
      discarded = read();
    },
  };
}
