import type { ClaimedMessage, ClaimMessages, ForgetFifo } from "../../services/sqs/store.ts";
import { type Acts, allDone, each } from "./act.ts";
import type { Session } from "./session.ts";

/** A receive of a FIFO queue that may be asked for again by its attempt id. */
export interface Attempt {
  readonly claimId: string;
  /** Until when it hid its messages; one that is hidden until another time was changed. */
  readonly visibleAtMs: number;
  readonly sequences: readonly number[];
}

export async function findAttempt(
  session: Session,
  queue: number,
  { nowMs, fifo }: ClaimMessages,
): Promise<Attempt | undefined> {
  if (fifo?.attemptId === undefined) return undefined;
  const [row] = await session.all<Omit<Attempt, "sequences"> & { readonly sequences: string }>(
    `SELECT claim_id AS "claimId", visible_at_ms AS "visibleAtMs", sequences
       FROM receive_attempts
      WHERE queue = $1::int8 AND attempt_id = $2::text AND claimed_ms > $3::int8 FOR UPDATE`,
    queue,
    fifo.attemptId,
    nowMs - fifo.attemptMs,
  );
  return row && { ...row, sequences: JSON.parse(row.sequences) as number[] };
}

export async function rememberAttempt(
  session: Session,
  queue: number,
  { nowMs, visibleAgainMs, fifo }: ClaimMessages,
  claimId: string,
  messages: readonly ClaimedMessage[],
): Promise<void> {
  if (fifo?.attemptId === undefined || messages.length === 0) return;
  await session.run(
    `INSERT INTO receive_attempts AS known VALUES
       ($1::int8, $2::text, $3::text, $4::int8, $5::int8, $6::text)
     ON CONFLICT (queue, attempt_id) DO UPDATE
        SET claimed_ms = CASE known.claim_id WHEN excluded.claim_id THEN known.claimed_ms
                         ELSE excluded.claimed_ms END,
            claim_id = excluded.claim_id, visible_at_ms = excluded.visible_at_ms,
            sequences = excluded.sequences`,
    queue,
    fifo.attemptId,
    claimId,
    nowMs,
    visibleAgainMs,
    JSON.stringify(messages.map(({ sequence }) => sequence)),
  );
}

/** Forgets what was sent to and received from FIFO queues long ago. */
export const forgetActs: Acts<ForgetFifo> = {
  "sqs.forget-fifo": each(async (work, { beforeMs, rowsMax }) => {
    const forgotten = await allDone([
      work.run(
        `DELETE FROM deduplications USING (
           SELECT account_id, region, history_id, digest FROM deduplications
            WHERE sent_ms < $1::int8 ORDER BY sent_ms LIMIT $2::int8) AS old
          WHERE deduplications.account_id = old.account_id AND deduplications.region = old.region
            AND deduplications.history_id = old.history_id
            AND deduplications.digest = old.digest AND sent_ms < $1::int8`,
        beforeMs,
        rowsMax,
      ),
      work.run(
        `DELETE FROM receive_attempts USING (
           SELECT queue, attempt_id FROM receive_attempts
            WHERE claimed_ms < $1::int8 ORDER BY claimed_ms LIMIT $2::int8) AS old
          WHERE receive_attempts.queue = old.queue
            AND receive_attempts.attempt_id = old.attempt_id AND claimed_ms < $1::int8`,
        beforeMs,
        rowsMax,
      ),
    ]);
    return { more: forgotten.includes(rowsMax) };
  }),
};
