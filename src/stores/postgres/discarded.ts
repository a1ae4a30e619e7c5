import type { DiscardQueue, SweepDiscarded } from "../../services/sqs/store.ts";
import { type Acts, each, type Work } from "./act.ts";

/** Queues whose life ended and whose messages wait to be swept. */
export const discardedActs: Acts<DiscardQueue | SweepDiscarded> = {
  "sqs.discard": each(async (work, { queue }) => {
    await work.run(
      "UPDATE queues SET discarded = true WHERE number = $1::int8",
      work.numberOf(queue),
    );
    work.discarded(queue);
    return undefined;
  }),
  "sqs.sweep": each(async (work, { rowsMax }) => sweep(work, rowsMax)),
};

async function sweep(work: Work, rowsMax: number): Promise<{ removed: number; more: boolean }> {
  const queues = await work.all<{ number: number }>(
    "SELECT number FROM queues WHERE discarded ORDER BY number LIMIT $1::int8 FOR UPDATE",
    rowsMax,
  );
  let removed = 0;
  for (const { number } of queues) {
    const rows = rowsMax - removed;
    if (rows <= 0) return { removed, more: true };
    const { swept, groups } = await sweepOne(work, number, rows);
    removed += swept;
    // A queue is forgotten once a sweep found fewer rows than it was allowed to take.
    if (swept === rows || groups === rows) return { removed, more: true };
    await work.run("DELETE FROM queues WHERE number = $1::int8", number);
  }
  return { removed, more: queues.length === rowsMax };
}

async function sweepOne(work: Work, queue: number, rowsMax: number) {
  const swept = await work.run(
    `WITH gone AS (
       DELETE FROM messages WHERE queue = $1::int8 AND sequence IN (
         SELECT sequence FROM messages WHERE queue = $1::int8 ORDER BY sequence LIMIT $2::int8)
       RETURNING queue, sequence)
     DELETE FROM message_bodies USING gone
      WHERE message_bodies.queue = gone.queue AND message_bodies.sequence = gone.sequence`,
    queue,
    rowsMax,
  );
  const groups = await work.run(
    `DELETE FROM message_groups WHERE queue = $1::int8 AND group_id IN (
       SELECT group_id FROM message_groups WHERE queue = $1::int8 LIMIT $2::int8)`,
    queue,
    rowsMax,
  );
  return { swept, groups };
}
