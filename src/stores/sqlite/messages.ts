import type { DatabaseSync } from "node:sqlite";
import type {
  CountMessages,
  MessageCounts,
  NextVisible,
  SqsCommand,
  SqsQuery,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import { claimActs } from "./claims.ts";
import type { DataKeys } from "./data-keys.ts";
import { createDiscarded, type Discarded } from "./discarded.ts";
import { identity, placementActs } from "./placement.ts";
import { removalActs } from "./removal.ts";
import { scopeActs } from "./scopes.ts";
import type { Sequence } from "./sequence.ts";
import { createTallies, type Tallies } from "./tallies.ts";

export interface Messages {
  readonly acts: Acts<SqsCommand | SqsQuery>;
  /** Something was rolled back: what is remembered of it goes. */
  reload(): void;
}

export function createMessages(
  database: DatabaseSync,
  sequence: Sequence,
  dataKeys: DataKeys,
): Messages {
  const tallies = createTallies(database);
  const discarded = createDiscarded(database, tallies);
  const acts: Acts<SqsCommand | SqsQuery> = {
    ...placementActs(database, sequence, tallies),
    ...removalActs(database, tallies),
    ...claimActs(database, dataKeys, tallies),
    ...discarded.acts,
    ...questions(database, tallies),
    ...scopeActs(database),
  };
  return {
    acts: guarded(acts, discarded),
    reload() {
      tallies.clear();
      discarded.reload();
    },
  };
}

/** A discarded queue is empty, and stays so, for everything but the sweep. */
function guarded(
  acts: Acts<SqsCommand | SqsQuery>,
  discarded: Discarded,
): Acts<SqsCommand | SqsQuery> {
  return {
    ...acts,
    "sqs.insert": (it) => (discarded.has(it.queue) ? undefined : acts["sqs.insert"](it)),
    "sqs.claim": (it) =>
      discarded.has(it.queue)
        ? { messages: [], exhausted: [], dataKeys: [], overLimit: false }
        : acts["sqs.claim"](it),
    "sqs.delete": (it) =>
      discarded.has(it.queue) ? it.messages.map(() => "absent") : acts["sqs.delete"](it),
    "sqs.visibility": (it) =>
      discarded.has(it.queue) ? it.changes.map(() => "absent") : acts["sqs.visibility"](it),
    // Into a discarded queue would be a loss: the message stays where it is and comes again.
    "sqs.move": (it) =>
      discarded.has(it.from) || discarded.has(it.to) ? { moved: 0 } : acts["sqs.move"](it),
    "sqs.counts": (it) =>
      discarded.has(it.queue) ? { visible: 0, inFlight: 0, delayed: 0 } : acts["sqs.counts"](it),
    "sqs.next-visible": (it) =>
      discarded.has(it.queue) ? undefined : acts["sqs.next-visible"](it),
  };
}

function questions(database: DatabaseSync, tallies: Tallies): Acts<CountMessages | NextVisible> {
  // Few rows: the sweep takes what is beyond its retention.
  const expired = prepare<MessageCounts>(
    database,
    `SELECT count(*) FILTER (WHERE visible_at_ms <= ?1) AS visible,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count > 0) AS inFlight,
            count(*) FILTER (WHERE visible_at_ms > ?1 AND receive_count = 0) AS delayed
       FROM messages INDEXED BY messages_by_age
      WHERE account_id = ?2 AND region = ?3 AND queue_id = ?4 AND sent_ms < ?5`,
  );
  const nextVisible = prepare<{ visibleAtMs: number }>(
    database,
    `SELECT visible_at_ms AS visibleAtMs FROM messages INDEXED BY messages_by_visibility
      WHERE account_id = ? AND region = ? AND queue_id = ? AND visible_at_ms > ?
      ORDER BY visible_at_ms LIMIT 1`,
  );
  return {
    "sqs.counts": ({ queue, nowMs, retainedSinceMs }) => {
      const all = tallies.at(queue, nowMs);
      const gone = expired.get(nowMs, ...identity(queue), retainedSinceMs);
      return {
        visible: all.visible - (gone?.visible ?? 0),
        inFlight: all.inFlight - (gone?.inFlight ?? 0),
        delayed: all.delayed - (gone?.delayed ?? 0),
      };
    },
    "sqs.next-visible": ({ queue, nowMs }) =>
      nextVisible.get(...identity(queue), nowMs)?.visibleAtMs,
  };
}
