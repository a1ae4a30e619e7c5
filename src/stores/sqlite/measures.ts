import type { DatabaseSync } from "node:sqlite";
import type {
  CountMessages,
  MeasureQueue,
  MessageCounts,
  NextVisible,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import { type Fresh, stateless } from "./fresh.ts";
import type { Groups } from "./groups.ts";
import type { QueueNumbers } from "./queue-numbers.ts";
import { createMeasureQuiet } from "./quiet.ts";
import { unspent } from "./spent.ts";
import type { Tallies } from "./tallies.ts";

/** From when a message without a state is visible: of a FIFO queue at any time. */
const withoutState = "CASE body.group_id WHEN '' THEN body.sent_ms ELSE 0 END";

/** Answers about a queue as a whole, none of which walks through it. */
export function measureActs(
  database: DatabaseSync,
  numbers: QueueNumbers,
  tallies: Tallies,
  groups: Groups,
  fresh: Fresh,
): Acts<CountMessages | NextVisible | MeasureQueue> {
  const measureQuiet = createMeasureQuiet(database, tallies, groups, fresh);
  // Few rows: the sweep takes what is beyond its retention.
  const expired = prepare<MessageCounts>(
    database,
    `SELECT count(*) FILTER (WHERE coalesce(visible_at_ms, ${withoutState}) <= ?1) AS visible,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count > 0) AS inFlight,
            count(*) FILTER (WHERE coalesce(visible_at_ms, ${withoutState}) > ?1
                               AND coalesce(receive_count, 0) = 0) AS delayed
       FROM message_bodies AS body INDEXED BY message_bodies_by_age
       LEFT JOIN message_states USING (sequence)
      WHERE body.queue = ?2 AND body.sent_ms < ?3 AND ${unspent}`,
  );
  const nextWithoutState = prepare<{ visibleAtMs: number }>(
    database,
    `SELECT sent_ms AS visibleAtMs FROM message_bodies AS body INDEXED BY message_bodies_by_age
      WHERE queue = ? AND sent_ms > ? AND group_id = '' AND ${stateless}
      ORDER BY sent_ms LIMIT 1`,
  );
  const nextInLane = prepare<{ visibleAtMs: number }>(
    database,
    `SELECT visible_at_ms AS visibleAtMs
       FROM message_states INDEXED BY message_states_by_visibility
      WHERE queue = ? AND lane = ? AND visible_at_ms > ? ORDER BY visible_at_ms LIMIT 1`,
  );
  const oldest = prepare<{ sentMs: number }>(
    database,
    `SELECT body.sent_ms AS sentMs
       FROM (SELECT sequence, sent_ms FROM message_bodies AS body INDEXED BY message_bodies_by_age
              WHERE queue = ? AND sent_ms >= ? AND ${unspent} ORDER BY sent_ms LIMIT 1000) AS body
       LEFT JOIN message_states AS state USING (sequence)
      WHERE coalesce(receive_count, 0) < ? ORDER BY body.sent_ms LIMIT 1`,
  );
  const fifoGroups = prepare<{ held: number }>(
    database,
    `SELECT count(*) AS held FROM message_groups AS head INDEXED BY message_groups_by_readiness
       CROSS JOIN message_states AS state ON state.sequence = head_sequence
      WHERE head.queue = ? AND ready_at_ms > ? AND lane = 2 AND receive_count > 0`,
  );

  function counts(queue: number, nowMs: number, retainedSinceMs: number): MessageCounts {
    const all = tallies.counts(queue, nowMs);
    const gone = expired.get(nowMs, queue, retainedSinceMs);
    return {
      visible: all.visible - (gone?.visible ?? 0),
      inFlight: all.inFlight - (gone?.inFlight ?? 0),
      delayed: all.delayed - (gone?.delayed ?? 0),
    };
  }

  return {
    "sqs.counts": ({ queue, nowMs, retainedSinceMs }) =>
      counts(numbers.find(queue), nowMs, retainedSinceMs),
    "sqs.next-visible": ({ queue: identity, nowMs }) => {
      const queue = numbers.find(identity);
      const inLanes = [0, 1, 2].map((lane) => nextInLane.get(queue, lane, nowMs));
      const times = [...inLanes, nextWithoutState.get(queue, nowMs)].flatMap(
        (next) => next?.visibleAtMs ?? [],
      );
      return times.length === 0 ? undefined : Math.min(...times);
    },
    "sqs.measure": ({ queue: identity, nowMs, retainedSinceMs, agedReceives }) => {
      const queue = numbers.find(identity);
      const oldestSentMs = oldest.get(queue, retainedSinceMs, agedReceives)?.sentMs;
      const whole = { ...counts(queue, nowMs, retainedSinceMs), oldestSentMs };
      return {
        ...whole,
        groupsInFlight: fifoGroups.get(queue, nowMs)?.held ?? 0,
        ...measureQuiet(queue, nowMs, retainedSinceMs, whole),
      };
    },
  };
}
