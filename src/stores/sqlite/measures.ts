import type { DatabaseSync } from "node:sqlite";
import type {
  CountMessages,
  MeasureQueue,
  MessageCounts,
  NextVisible,
  QueueIdentity,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

/** Answers about a queue as a whole, none of which walks through it. */
export function measureActs(
  database: DatabaseSync,
  tallies: Tallies,
): Acts<CountMessages | NextVisible | MeasureQueue> {
  const of = "account_id = ? AND region = ? AND queue_id = ?";
  // Few rows: the sweep takes what is beyond its retention.
  const expired = prepare<MessageCounts>(
    database,
    `SELECT count(*) FILTER (WHERE visible_at_ms <= ?1) AS visible,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count > 0) AS inFlight,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count = 0) AS delayed
       FROM messages INDEXED BY messages_by_age
      WHERE account_id = ?2 AND region = ?3 AND queue_id = ?4 AND sent_ms < ?5`,
  );
  const nextInLane = prepare<{ visibleAtMs: number }>(
    database,
    `SELECT visible_at_ms AS visibleAtMs FROM messages INDEXED BY messages_by_visibility
      WHERE ${of} AND lane = ? AND visible_at_ms > ? ORDER BY visible_at_ms LIMIT 1`,
  );
  const oldest = prepare<{ sentMs: number }>(
    database,
    `SELECT sent_ms AS sentMs FROM messages INDEXED BY messages_by_age
      WHERE ${of} AND sent_ms >= ? ORDER BY sent_ms LIMIT 1`,
  );
  const fifoGroups = prepare<{ held: number }>(
    database,
    `SELECT count(*) AS held FROM message_groups AS head INDEXED BY message_groups_by_readiness
       CROSS JOIN messages USING (account_id, region, queue_id)
      WHERE head.account_id = ? AND head.region = ? AND head.queue_id = ? AND ready_at_ms > ?
        AND messages.sequence = head_sequence AND lane = 2 AND receive_count > 0`,
  );

  function counts(queue: QueueIdentity, nowMs: number, retainedSinceMs: number): MessageCounts {
    const all = tallies.counts(queue, nowMs);
    const gone = expired.get(nowMs, ...identity(queue), retainedSinceMs);
    return {
      visible: all.visible - (gone?.visible ?? 0),
      inFlight: all.inFlight - (gone?.inFlight ?? 0),
      delayed: all.delayed - (gone?.delayed ?? 0),
    };
  }

  return {
    "sqs.counts": ({ queue, nowMs, retainedSinceMs }) => counts(queue, nowMs, retainedSinceMs),
    "sqs.next-visible": ({ queue, nowMs }) => {
      const times = [0, 1, 2].flatMap(
        (lane) => nextInLane.get(...identity(queue), lane, nowMs)?.visibleAtMs ?? [],
      );
      return times.length === 0 ? undefined : Math.min(...times);
    },
    "sqs.measure": ({ queue, nowMs, retainedSinceMs }) => {
      const { inFlight, tenants } = tallies.hidden(queue, nowMs);
      return {
        ...counts(queue, nowMs, retainedSinceMs),
        oldestSentMs: oldest.get(...identity(queue), retainedSinceMs)?.sentMs,
        groupsInFlight:
          tenants?.groupsInFlight ?? fifoGroups.get(...identity(queue), nowMs)?.held ?? 0,
        noisyGroups: tenants?.noisy(inFlight, nowMs).length ?? 0,
      };
    },
  };
}
