import type { DatabaseSync } from "node:sqlite";
import type { MessageCounts, QueueIdentity } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";

/**
 * Counts of each queue's messages, kept in memory so that neither a claim (in-flight limit) nor the
 * counts of a deep queue walk through it. A queue is counted once, when first asked for; from then
 * on changes are noted, and what became visible with time is found in the index between the two
 * times. Exact, whichever way the clock goes.
 *
 * Messages beyond their retention are still counted here; `counts` takes them off.
 */
export interface Tallies {
  at(queue: QueueIdentity, nowMs: number): Readonly<MessageCounts>;
  /** A message came (`+1`) or went (`-1`) with this visibility and receive count. */
  note(queue: QueueIdentity, visibleAtMs: number, receiveCount: number, change: 1 | -1): void;
  drop(queue: QueueIdentity): void;
  /** Something was rolled back: count anew. */
  clear(): void;
}

interface Tally {
  asOfMs: number;
  visible: number;
  inFlight: number;
  delayed: number;
}

export function queueKey({ accountId, region, queueId }: QueueIdentity): string {
  return `${accountId}/${region}/${queueId}`;
}

export function createTallies(database: DatabaseSync): Tallies {
  const tallies = new Map<string, Tally>();
  const all = prepare<MessageCounts>(
    database,
    `SELECT count(*) FILTER (WHERE visible_at_ms <= ?1) AS visible,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count > 0) AS inFlight,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count = 0) AS delayed
       FROM messages INDEXED BY messages_by_visibility
      WHERE account_id = ?2 AND region = ?3 AND queue_id = ?4`,
  );
  const between = prepare<{ received: number; fresh: number }>(
    database,
    `SELECT count(*) FILTER (WHERE receive_count > 0) AS received,
            count(*) FILTER (WHERE receive_count = 0) AS fresh
       FROM messages INDEXED BY messages_by_visibility
      WHERE account_id = ? AND region = ? AND queue_id = ?
        AND visible_at_ms > ? AND visible_at_ms <= ?`,
  );

  function count({ accountId, region, queueId }: QueueIdentity, nowMs: number): Tally {
    const counts = all.get(nowMs, accountId, region, queueId);
    return { asOfMs: nowMs, visible: 0, inFlight: 0, delayed: 0, ...counts };
  }

  /** What lies between the two times changes sides: visible going forward, hidden going back. */
  function advance(tally: Tally, queue: QueueIdentity, nowMs: number): void {
    if (nowMs === tally.asOfMs) return;
    const [fromMs, toMs] = [Math.min(nowMs, tally.asOfMs), Math.max(nowMs, tally.asOfMs)];
    const moved = between.get(queue.accountId, queue.region, queue.queueId, fromMs, toMs);
    const direction = nowMs > tally.asOfMs ? 1 : -1;
    const received = direction * (moved?.received ?? 0);
    const fresh = direction * (moved?.fresh ?? 0);
    tally.visible += received + fresh;
    tally.inFlight -= received;
    tally.delayed -= fresh;
    tally.asOfMs = nowMs;
  }

  return {
    at(queue, nowMs) {
      const key = queueKey(queue);
      const known = tallies.get(key);
      const tally = known ?? count(queue, nowMs);
      if (known === undefined) tallies.set(key, tally);
      else advance(tally, queue, nowMs);
      return tally;
    },
    note(queue, visibleAtMs, receiveCount, change) {
      const tally = tallies.get(queueKey(queue));
      if (tally === undefined) return;
      if (visibleAtMs <= tally.asOfMs) tally.visible += change;
      else if (receiveCount > 0) tally.inFlight += change;
      else tally.delayed += change;
    },
    drop: (queue) => tallies.delete(queueKey(queue)),
    clear: () => tallies.clear(),
  };
}
