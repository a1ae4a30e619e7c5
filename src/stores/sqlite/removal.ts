import type { DatabaseSync } from "node:sqlite";
import type { DeleteMessages, ExpireMessages, QueueIdentity } from "../../services/sqs/store.ts";
import { type Acts, prepare, type Statement } from "./act.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

interface Removed {
  readonly visibleAtMs: number;
  readonly receiveCount: number;
}

const samePlace = "account_id = ? AND region = ? AND queue_id = ? AND sequence = ?";
const returning = "RETURNING visible_at_ms AS visibleAtMs, receive_count AS receiveCount";

/** How a message leaves: deleted by its consumer, or older than its queue keeps it. */
export function removalActs(
  database: DatabaseSync,
  tallies: Tallies,
): Acts<DeleteMessages | ExpireMessages> {
  const removeBody = prepare(database, `DELETE FROM message_bodies WHERE ${samePlace}`);
  const removeAny = prepare<Removed>(
    database,
    `DELETE FROM messages WHERE ${samePlace} ${returning}`,
  );
  const removeClaimed = prepare<Removed>(
    database,
    `DELETE FROM messages WHERE ${samePlace} AND claim_id = ? ${returning}`,
  );
  const exists = prepare(database, `SELECT 1 FROM messages WHERE ${samePlace}`);
  const old = prepare<{ sequence: number }>(
    database,
    `SELECT sequence FROM messages INDEXED BY messages_by_age
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sent_ms < ?
      ORDER BY sent_ms LIMIT ?`,
  );

  function remove(
    statement: Statement<Removed>,
    queue: QueueIdentity,
    sequence: number,
    ...claim: string[]
  ): boolean {
    const removed = statement.get(...identity(queue), sequence, ...claim);
    if (removed === undefined) return false;
    removeBody.run(...identity(queue), sequence);
    tallies.note(queue, removed.visibleAtMs, removed.receiveCount, -1);
    return true;
  }

  return {
    "sqs.delete": ({ queue, messages }) =>
      messages.map(({ sequence, claimId }) => {
        if (remove(removeClaimed, queue, sequence, claimId)) return "deleted";
        return exists.get(...identity(queue), sequence) ? "superseded" : "absent";
      }),
    "sqs.expire": ({ queue, sentBeforeMs, rowsMax }) => {
      const rows = old.all(...identity(queue), sentBeforeMs, rowsMax);
      for (const { sequence } of rows) remove(removeAny, queue, sequence);
      return { removed: rows.length, more: rows.length === rowsMax };
    },
  };
}
