import type {
  CountMessages,
  ListQueueScopes,
  MeasureQueue,
  MessageCounts,
  NextVisible,
  QueueMeasures,
} from "../../services/sqs/store.ts";
import { type Acts, allDone, together } from "./act.ts";
import { texts } from "./columns.ts";
import type { Session } from "./session.ts";
import type { Noisy, Tenants } from "./tenants.ts";

const noMessages: MessageCounts = { visible: 0, inFlight: 0, delayed: 0 };
const nothing: Omit<QueueMeasures, keyof MessageCounts> = {
  oldestSentMs: undefined,
  groupsInFlight: 0,
  noisyGroups: 0,
  quiet: { ...noMessages, oldestSentMs: undefined },
};

/** A count that walked over more rows than this is good for a while. */
const exactRowsMax = 20_000;
const goodForMs = 5_000;

interface Known {
  readonly counts: MessageCounts;
  readonly atMs: number;
}

/**
 * Answers about a queue as a whole. AWS: the numbers are approximate. Here they are exact up to
 * 20,000 messages, and at most five seconds old beyond that: nobody keeps a count that every send
 * would have to change.
 */
export function measureActs(
  tenants: Tenants,
  elapsedMs: () => number,
): Acts<CountMessages | NextVisible | MeasureQueue | ListQueueScopes> {
  const known = new Map<number, Known>();

  async function counts(
    session: Session,
    queue: number,
    nowMs: number,
    retainedSinceMs: number,
  ): Promise<MessageCounts> {
    const before = known.get(queue);
    if (before !== undefined && elapsedMs() - before.atMs < goodForMs) return before.counts;
    known.delete(queue);
    const counted = await count(session, queue, nowMs, retainedSinceMs);
    const rows = counted.visible + counted.inFlight + counted.delayed;
    if (rows > exactRowsMax) known.set(queue, { counts: counted, atMs: elapsedMs() });
    return counted;
  }

  return {
    "sqs.counts": together(async (work, { queue, nowMs, retainedSinceMs }) => {
      const number = work.queue(queue);
      return number === undefined ? noMessages : counts(work, number, nowMs, retainedSinceMs);
    }),
    "sqs.next-visible": together(async (work, { queue, nowMs }) => {
      const number = work.queue(queue);
      return number === undefined ? undefined : nextVisible(work, number, nowMs);
    }),
    "sqs.measure": together(async (work, { queue, nowMs, retainedSinceMs, agedReceives }) => {
      const number = work.queue(queue);
      if (number === undefined) return { ...noMessages, ...nothing };
      const [counted, oldest] = await allDone([
        counts(work, number, nowMs, retainedSinceMs),
        oldestSent(work, number, retainedSinceMs, agedReceives),
      ]);
      const whole = { ...counted, oldestSentMs: oldest };
      const fair = await tenants.measure(work, number, nowMs);
      const { noisy = [] } = fair ?? {};
      const beside = { nowMs, retainedSinceMs, noisy };
      return {
        ...whole,
        groupsInFlight: fair?.groupsInFlight ?? (await fifoGroups(work, number, nowMs)),
        noisyGroups: noisy.length,
        quiet: noisy.length === 0 ? whole : await quietOf(work, number, beside),
      };
    }),
    "sqs.scopes": together(async (work) =>
      work.all<{ accountId: string; region: string }>(
        `SELECT DISTINCT account_id AS "accountId", region FROM records
          WHERE kind >= 'sqs.' AND kind < 'sqs/' ORDER BY 1, 2`,
      ),
    ),
  };
}

async function count(
  session: Session,
  queue: number,
  nowMs: number,
  retainedSinceMs: number,
): Promise<MessageCounts> {
  const [row] = await session.all<MessageCounts>(
    `SELECT count(*) FILTER (WHERE visible_at_ms <= $2::int8) AS visible,
            count(*) FILTER (WHERE visible_at_ms > $2::int8 AND receive_count > 0) AS "inFlight",
            count(*) FILTER (WHERE visible_at_ms > $2::int8 AND receive_count = 0) AS delayed
       FROM messages WHERE queue = $1::int8 AND sent_ms >= $3::int8`,
    queue,
    nowMs,
    retainedSinceMs,
  );
  return row ?? noMessages;
}

/** What is not in noisy groups; a walk through the queue, as every count of it is here. */
async function quietOf(
  session: Session,
  queue: number,
  beside: { readonly nowMs: number; readonly retainedSinceMs: number; readonly noisy: Noisy },
): Promise<QueueMeasures["quiet"]> {
  const [row] = await session.all<MessageCounts & { readonly oldestSentMs: number | null }>(
    `SELECT count(*) FILTER (WHERE visible_at_ms <= $2::int8) AS visible,
            count(*) FILTER (WHERE visible_at_ms > $2::int8 AND receive_count > 0) AS "inFlight",
            count(*) FILTER (WHERE visible_at_ms > $2::int8 AND receive_count = 0) AS delayed,
            min(sent_ms) AS "oldestSentMs"
       FROM messages WHERE queue = $1::int8 AND sent_ms >= $3::int8
        AND NOT (lane = 1 AND group_id = ANY ($4::text[]))`,
    queue,
    beside.nowMs,
    beside.retainedSinceMs,
    texts(beside.noisy),
  );
  const { oldestSentMs, ...counts } = row ?? { ...noMessages, oldestSentMs: null };
  return { ...counts, oldestSentMs: oldestSentMs ?? undefined };
}

async function nextVisible(
  session: Session,
  queue: number,
  nowMs: number,
): Promise<number | undefined> {
  const rows = await allDone(
    [0, 1, 2].map((lane) =>
      session.all<{ visibleAtMs: number }>(
        `SELECT visible_at_ms AS "visibleAtMs" FROM messages
          WHERE queue = $1::int8 AND lane = $2::int2 AND visible_at_ms > $3::int8
          ORDER BY visible_at_ms LIMIT 1`,
        queue,
        lane,
        nowMs,
      ),
    ),
  );
  const times = rows.flat().map(({ visibleAtMs }) => visibleAtMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

async function oldestSent(
  session: Session,
  queue: number,
  retainedSinceMs: number,
  agedReceives: number,
): Promise<number | undefined> {
  const [row] = await session.all<{ sentMs: number }>(
    `SELECT body.sent_ms AS "sentMs"
       FROM (SELECT queue, sequence, sent_ms FROM message_bodies
              WHERE queue = $1::int8 AND sent_ms >= $2::int8 ORDER BY sent_ms LIMIT 1000) AS body
       JOIN messages USING (queue, sequence)
      WHERE receive_count < $3::int8 ORDER BY body.sent_ms LIMIT 1`,
    queue,
    retainedSinceMs,
    agedReceives,
  );
  return row?.sentMs;
}

async function fifoGroups(session: Session, queue: number, nowMs: number): Promise<number> {
  const [row] = await session.all<{ held: number }>(
    `SELECT count(*) AS held FROM message_groups AS head
       JOIN messages ON messages.queue = head.queue AND messages.sequence = head.head_sequence
      WHERE head.queue = $1::int8 AND ready_at_ms > $2::int8 AND receive_count > 0`,
    queue,
    nowMs,
  );
  return row?.held ?? 0;
}
