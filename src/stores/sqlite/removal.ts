import type { DatabaseSync } from "node:sqlite";
import type {
  DeleteMessages,
  DeleteResult,
  ExpireMessages,
  MessageClaim,
} from "../../services/sqs/store.ts";
import { type Acts, prepare, type Statement } from "./act.ts";
import type { GoneMessage, Groups } from "./groups.ts";
import { type MessageState, neverHidden, stateColumns } from "./lanes.ts";
import type { QueueNumbers } from "./queue-numbers.ts";
import { type Spent, unspent } from "./spent.ts";
import type { Tallies } from "./tallies.ts";

export interface Removal {
  readonly acts: Acts<DeleteMessages | ExpireMessages>;
  /** Removes messages sent before a time, oldest first, unless fewer than `rowsMin`; how many. */
  expire(queue: number, sentBeforeMs: number, rowsMax: number, rowsMin?: number): number;
}

export interface RemovalTools {
  readonly numbers: QueueNumbers;
  readonly spent: Spent;
  readonly tallies: Tallies;
  readonly groups: Groups;
}

type RemovedState = MessageState & { readonly sizeBytes: number };

/** How a message leaves: deleted by its consumer, or older than its queue keeps it. */
export function createRemoval(
  database: DatabaseSync,
  { numbers, spent, tallies, groups }: RemovalTools,
): Removal {
  const removeState = (where: string) =>
    prepare<RemovedState>(
      database,
      `DELETE FROM message_states WHERE queue = ? AND sequence = ? ${where}
         RETURNING ${stateColumns}, size_bytes AS sizeBytes`,
    );
  const removeAny = removeState("");
  const removeClaimed = removeState("AND claim_id = ?");
  const removeHeld = removeState("AND claim_id = ? AND visible_at_ms > ?");
  const claimOf = prepare<{ claimId: string }>(
    database,
    "SELECT claim_id AS claimId FROM message_states WHERE queue = ? AND sequence = ?",
  );
  const old = prepare<{ sequence: number; groupId: string; sizeBytes: number }>(
    database,
    `SELECT sequence, group_id AS groupId, length(bytes) AS sizeBytes
       FROM message_bodies AS body INDEXED BY message_bodies_by_age
      WHERE queue = ? AND sent_ms < ? AND ${unspent} ORDER BY sent_ms, sequence LIMIT ?`,
  );

  function note(queue: number, sequence: number, state: RemovedState): GoneMessage {
    spent.add(queue, sequence, state.sizeBytes);
    tallies.note(queue, state, -1);
    return { sequence, state };
  }

  function remove(
    statement: Statement<RemovedState>,
    queue: number,
    sequence: number,
    ...more: (string | number)[]
  ): GoneMessage | undefined {
    const state = statement.get(queue, sequence, ...more);
    return state && note(queue, sequence, state);
  }

  function finish(queue: number, gone: readonly GoneMessage[]): void {
    groups.removed(queue, gone);
    spent.sweepMany();
  }

  function expire(
    queue: number,
    sentBeforeMs: number,
    rowsMax: number,
    rowsMin: number = 1,
  ): number {
    const rows = old.all(queue, sentBeforeMs, rowsMax);
    if (rows.length < rowsMin) return 0;
    const gone = rows.map(
      ({ sequence, groupId, sizeBytes }) =>
        remove(removeAny, queue, sequence) ??
        note(queue, sequence, { ...neverHidden(groupId), sizeBytes }),
    );
    finish(queue, gone);
    return rows.length;
  }

  function left(queue: number, { sequence, claimId }: MessageClaim): DeleteResult {
    const state = claimOf.get(queue, sequence);
    if (!state) return "absent";
    return state.claimId === claimId ? "lapsed" : "superseded";
  }

  return {
    acts: {
      "sqs.delete": ({ queue: identity, messages, fifoNowMs }) => {
        const queue = numbers.find(identity);
        const gone: GoneMessage[] = [];
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
        finish(queue, gone);
        return results;
      },
      "sqs.expire": ({ queue, sentBeforeMs, rowsMax }) => {
        const removed = expire(numbers.find(queue), sentBeforeMs, rowsMax);
        return { removed, more: removed === rowsMax };
      },
    },
    expire,
  };
}
