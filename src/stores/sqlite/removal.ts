import type { DatabaseSync } from "node:sqlite";
import type {
  DeleteMessages,
  DeleteResult,
  ExpireMessages,
  MessageClaim,
  QueueIdentity,
} from "../../services/sqs/store.ts";
import { type Acts, prepare, type Statement } from "./act.ts";
import type { Groups } from "./groups.ts";
import { type MessageState, stateColumns } from "./lanes.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

const samePlace = "account_id = ? AND region = ? AND queue_id = ? AND sequence = ?";

export interface Removal {
  readonly acts: Acts<DeleteMessages | ExpireMessages>;
  /** Removes messages sent before a time, oldest first, unless fewer than `rowsMin`; how many. */
  expire(queue: QueueIdentity, sentBeforeMs: number, rowsMax: number, rowsMin?: number): number;
}

/** How a message leaves: deleted by its consumer, or older than its queue keeps it. */
export function createRemoval(database: DatabaseSync, tallies: Tallies, groups: Groups): Removal {
  const removeBody = prepare(database, `DELETE FROM message_bodies WHERE ${samePlace}`);
  const removeAny = prepare<MessageState>(
    database,
    `DELETE FROM messages WHERE ${samePlace} RETURNING ${stateColumns}`,
  );
  const removeClaimed = prepare<MessageState>(
    database,
    `DELETE FROM messages WHERE ${samePlace} AND claim_id = ? RETURNING ${stateColumns}`,
  );
  const removeHeld = prepare<MessageState>(
    database,
    `DELETE FROM messages WHERE ${samePlace} AND claim_id = ? AND visible_at_ms > ?
       RETURNING ${stateColumns}`,
  );
  const claimOf = prepare<{ claimId: string }>(
    database,
    `SELECT claim_id AS claimId FROM messages WHERE ${samePlace}`,
  );
  const old = prepare<{ sequence: number }>(
    database,
    `SELECT sequence FROM messages INDEXED BY messages_by_age
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sent_ms < ?
      ORDER BY sent_ms LIMIT ?`,
  );

  function remove(
    statement: Statement<MessageState>,
    queue: QueueIdentity,
    sequence: number,
    ...more: (string | number)[]
  ): MessageState | undefined {
    const removed = statement.get(...identity(queue), sequence, ...more);
    if (removed === undefined) return undefined;
    removeBody.run(...identity(queue), sequence);
    tallies.note(queue, removed, -1);
    return removed;
  }

  function expire(
    queue: QueueIdentity,
    sentBeforeMs: number,
    rowsMax: number,
    rowsMin: number = 1,
  ): number {
    const rows = old.all(...identity(queue), sentBeforeMs, rowsMax);
    if (rows.length < rowsMin) return 0;
    const gone = rows.flatMap(({ sequence }) => remove(removeAny, queue, sequence) ?? []);
    groups.changed(queue, gone);
    return rows.length;
  }

  function left(queue: QueueIdentity, { sequence, claimId }: MessageClaim): DeleteResult {
    const state = claimOf.get(...identity(queue), sequence);
    if (!state) return "absent";
    return state.claimId === claimId ? "lapsed" : "superseded";
  }

  return {
    acts: {
      "sqs.delete": ({ queue, messages, fifoNowMs }) => {
        const gone: MessageState[] = [];
        const results = messages.map((message): DeleteResult => {
          const { sequence, claimId } = message;
          const removed =
            fifoNowMs === undefined
              ? remove(removeClaimed, queue, sequence, claimId)
              : remove(removeHeld, queue, sequence, claimId, fifoNowMs);
          if (!removed) return left(queue, message);
          gone.push(removed);
          return "deleted";
        });
        groups.changed(queue, gone);
        return results;
      },
      "sqs.expire": ({ queue, sentBeforeMs, rowsMax }) => {
        const removed = expire(queue, sentBeforeMs, rowsMax);
        return { removed, more: removed === rowsMax };
      },
    },
    expire,
  };
}
