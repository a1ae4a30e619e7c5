import type { DatabaseSync } from "node:sqlite";
import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import type { QueueNumbers } from "./queue-numbers.ts";

/** Receives of FIFO queues that may be asked for again by their attempt id. */
export interface Attempts {
  find(command: ClaimMessages): Attempt | undefined;
  remember(command: ClaimMessages, claimId: string, messages: readonly ClaimedMessage[]): void;
  /** The queue of each row removed. */
  forget(beforeMs: number, rowsMax: number): number[];
}

export interface Attempt {
  readonly claimId: string;
  /** Until when it hid its messages; one that is hidden until another time was changed. */
  readonly visibleAtMs: number;
  readonly sequences: readonly number[];
}

export function createAttempts(database: DatabaseSync, numbers: QueueNumbers): Attempts {
  const get = prepare<Omit<Attempt, "sequences"> & { readonly sequences: string }>(
    database,
    `SELECT claim_id AS claimId, visible_at_ms AS visibleAtMs, sequences FROM receive_attempts
      WHERE queue = ? AND attempt_id = ? AND claimed_ms > ?`,
  );
  const put = prepare(
    database,
    `INSERT INTO receive_attempts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET claimed_ms = CASE claim_id WHEN excluded.claim_id THEN claimed_ms
                         ELSE excluded.claimed_ms END,
            claim_id = excluded.claim_id, visible_at_ms = excluded.visible_at_ms,
            sequences = excluded.sequences`,
  );
  const forget = prepare<{ queue: number }>(
    database,
    `DELETE FROM receive_attempts WHERE (queue, attempt_id) IN (
       SELECT queue, attempt_id FROM receive_attempts
        WHERE claimed_ms < ? ORDER BY claimed_ms LIMIT ?)
     RETURNING queue`,
  );
  return {
    find({ queue, nowMs, fifo }) {
      if (fifo?.attemptId === undefined) return undefined;
      const row = get.get(numbers.find(queue), fifo.attemptId, nowMs - fifo.attemptMs);
      return row && { ...row, sequences: JSON.parse(row.sequences) as number[] };
    },
    remember({ queue, nowMs, visibleAgainMs, fifo }, claimId, messages) {
      if (fifo?.attemptId === undefined || messages.length === 0) return;
      const sequences = JSON.stringify(messages.map(({ sequence }) => sequence));
      const facts = [claimId, nowMs, visibleAgainMs, sequences] as const;
      put.run(numbers.of(queue), fifo.attemptId, ...facts);
    },
    forget: (beforeMs, rowsMax) => forget.all(beforeMs, rowsMax).map(({ queue }) => queue),
  };
}
