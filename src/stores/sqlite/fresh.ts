import type { DatabaseSync } from "node:sqlite";
import type { ClaimMessages } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import { unspent } from "./spent.ts";

/** A message as a claim chooses it, before its body is read. */
export interface Choice {
  readonly sequence: number;
  readonly visibleAtMs: number;
}

/**
 * Messages of standard queues that have no group and were never hidden. They have no state: a send
 * touches two indexes less, and a claim of a deep queue writes where the last one wrote. They are
 * found in the order of sending behind the queue's start: what lies up to there has a state or is
 * gone. Where messages beyond retention stay until they are swept, the start waits for them, and a
 * stretch behind them is remembered in the same way.
 */
export interface Fresh {
  /** Whether a message that is sent now needs no state: it will be found. */
  takes(queue: number, sentMs: number): boolean;
  /** The first of them that are sent by now and not older than the retention. */
  first(queue: number, times: Times, limit: number): readonly Choice[];
  /** When the first of them was sent that is not older than the retention. Changes nothing. */
  oldestSentMs(queue: number, retainedSinceMs: number): number | undefined;
  /** Of those that were answered last: up to and with this one all have a state now. */
  left(queue: number, last: Choice): void;
  /** Something was rolled back. */
  reload(): void;
}

type Times = Pick<ClaimMessages, "nowMs" | "retainedSinceMs">;

interface Place {
  readonly sentMs: number;
  readonly sequence: number;
}

/** Of a row `body` of `message_bodies`: its message is there and has no state. */
export const stateless = `${unspent} AND NOT EXISTS
  (SELECT 1 FROM message_states AS state WHERE state.sequence = body.sequence)`;

interface Known {
  start: Place;
  /** Behind `from`, up to and with `to`: nothing fresh. */
  stretch: { readonly from: Place; readonly to: Place } | undefined;
  /** Where the search began whose result was answered last, if not at the start. */
  searchedFrom: Place | undefined;
  /** Messages passed since the start was written down. */
  unsaved: number;
}

/**
 * Messages that are passed before the start is written down again: what the first claim after a
 * restart steps over beside those that have a state for long.
 */
const unsavedMax = 1000;
/** Queues of which this is remembered. */
const rememberedMax = 100_000;

export function createFresh(database: DatabaseSync): Fresh {
  const read = prepare<Place>(
    database,
    `SELECT fresh_sent_ms AS sentMs, fresh_sequence AS sequence
       FROM queue_numbers WHERE number = ?`,
  );
  const write = prepare(
    database,
    "UPDATE queue_numbers SET fresh_sent_ms = ?, fresh_sequence = ? WHERE number = ?",
  );
  const search = (where: string) =>
    prepare<Choice>(
      database,
      `SELECT sequence, sent_ms AS visibleAtMs
         FROM message_bodies AS body INDEXED BY message_bodies_by_age
        WHERE queue = ? AND ${where} AND ${stateless}
        ORDER BY sent_ms, sequence LIMIT ?`,
    );
  // As one comparison of both columns it would step over all that were sent in the same moment.
  const together = search("sent_ms = ? AND sequence > ?");
  const later = search("sent_ms > ? AND sent_ms <= ?");
  const last = prepare<Place>(
    database,
    `SELECT sequence, sent_ms AS sentMs
       FROM message_bodies INDEXED BY message_bodies_by_age
      WHERE queue = ? AND sent_ms <= ? ORDER BY sent_ms DESC, sequence DESC LIMIT 1`,
  );
  const remembered = new Map<number, Known>();

  function of(queue: number): Known {
    const known = remembered.get(queue);
    if (known !== undefined) return known;
    const start = read.get(queue) ?? { sentMs: 0, sequence: 0 };
    const made = { start, stretch: undefined, searchedFrom: undefined, unsaved: 0 };
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(queue, made);
    return made;
  }

  function behind(queue: number, { sentMs, sequence }: Place, nowMs: number, limit: number) {
    if (sentMs > nowMs) return [];
    const found = together.all(queue, sentMs, sequence, limit);
    if (found.length === limit) return found;
    return [...found, ...later.all(queue, sentMs, nowMs, limit - found.length)];
  }

  function moveTo(queue: number, known: Known, place: Place, passed: number): void {
    if (known.searchedFrom !== undefined) {
      const from = known.stretch?.from ?? known.searchedFrom;
      known.stretch = { from, to: place };
      return;
    }
    known.start = place;
    known.unsaved += passed;
    if (known.unsaved < unsavedMax) return;
    write.run(place.sentMs, place.sequence, queue);
    known.unsaved = 0;
  }

  /** Nothing was found: all that is there has been passed. How much it was is not known. */
  function moveToLast(queue: number, known: Known, from: Place, nowMs: number): void {
    const end = last.get(queue, nowMs);
    if (end === undefined || !isBefore(from, end)) return;
    moveTo(queue, known, end, end.sequence - from.sequence);
  }

  /** Where what is retained begins, if messages beyond retention are before it. */
  function startAt(known: Known, retainedSinceMs: number): Place {
    const from = { sentMs: retainedSinceMs, sequence: 0 };
    const { stretch } = known;
    if (stretch && !isBefore(from, stretch.from) && isBefore(from, stretch.to)) return stretch.to;
    known.stretch = undefined;
    return from;
  }

  return {
    takes(queue, sentMs) {
      const { start, stretch } = of(queue);
      return sentMs >= start.sentMs && sentMs >= (stretch?.to.sentMs ?? 0);
    },
    first(queue, { nowMs, retainedSinceMs }, limit) {
      const known = of(queue);
      known.searchedFrom = undefined;
      const found = behind(queue, known.start, nowMs, limit);
      const oldestMs = found[0]?.visibleAtMs ?? Number.POSITIVE_INFINITY;
      if (oldestMs >= retainedSinceMs) {
        known.stretch = undefined;
        if (found.length === 0) moveToLast(queue, known, known.start, nowMs);
        return found;
      }
      const from = startAt(known, retainedSinceMs);
      known.searchedFrom = from;
      const retained = behind(queue, from, nowMs, limit);
      if (retained.length === 0) moveToLast(queue, known, from, nowMs);
      return retained;
    },
    oldestSentMs(queue, retainedSinceMs) {
      const { start } = of(queue);
      const retained = { sentMs: retainedSinceMs, sequence: 0 };
      const from = isBefore(start, retained) ? retained : start;
      return behind(queue, from, Number.MAX_SAFE_INTEGER, 1)[0]?.visibleAtMs;
    },
    left: (queue, { visibleAtMs, sequence }) =>
      moveTo(queue, of(queue), { sentMs: visibleAtMs, sequence }, 1),
    reload: () => remembered.clear(),
  };
}

function isBefore(a: Place, b: Place): boolean {
  return a.sentMs < b.sentMs || (a.sentMs === b.sentMs && a.sequence < b.sequence);
}
