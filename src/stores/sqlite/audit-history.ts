import type { DatabaseSync } from "node:sqlite";
import type {
  ChainHead,
  FindPrunable,
  FoundHash,
  ListChainHeads,
  PruneEvents,
  ReadChain,
} from "../../services/cloudtrail/store.ts";
import { type Acts, prepare } from "./act.ts";
import { type EventRow, eventColumns, eventOf } from "./audit-rows.ts";
import { segmentEvents } from "./migrations/0005-audit-segments.ts";

/** The history as a chain: reading it through, and letting its beginning go. */
export function auditHistoryActs(
  database: DatabaseSync,
): Acts<ListChainHeads | ReadChain | FindPrunable | PruneEvents> {
  const heads = prepare<ChainHead>(
    database,
    `SELECT account_id AS accountId, region, number, hash FROM audit_chains WHERE lane = ''
      ORDER BY account_id, region`,
  );
  const chain = prepare<EventRow>(
    database,
    `SELECT ${eventColumns} FROM audit_events
      WHERE account_id = ? AND region = ? AND number > ? ORDER BY number LIMIT ?`,
  );
  return {
    "audit.heads": () => heads.all(),
    "audit.chain": ({ accountId, region, afterNumber, limit }) =>
      chain.all(accountId, region, afterNumber, limit).map(eventOf),
    "audit.prunable": createFindPrunable(database),
    "audit.prune": createPrune(database),
  };
}

function createFindPrunable(database: DatabaseSync): Acts<FindPrunable>["audit.prunable"] {
  const ends = prepare<{ first: number | null; last: number | null }>(
    database,
    `SELECT min(number) AS first, max(number) AS last FROM audit_events
      WHERE account_id = ? AND region = ?`,
  );
  const at = prepare<FoundHash>(
    database,
    `SELECT number, time_ms AS timeMs, hash FROM audit_events
      WHERE account_id = ? AND region = ? AND number >= ? ORDER BY number LIMIT 1`,
  );
  return ({ accountId, region, beforeMs, eventsMax }) => {
    const { first, last } = ends.get(accountId, region) ?? { first: null, last: null };
    if (first === null || last === null) return undefined;
    const find = (number: number) => at.get(accountId, region, number);
    const old = lastOlder(first, last, beforeMs, find);
    const through = Math.max(old, last - eventsMax);
    const found = through < first ? undefined : find(through);
    return found && { first, through: found };
  };
}

/** Times grow with numbers, so the last one before a time is found by halving. */
function lastOlder(
  first: number,
  last: number,
  beforeMs: number,
  find: (number: number) => FoundHash | undefined,
): number {
  let low = first - 1;
  let high = last;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = find(middle);
    if (found !== undefined && found.timeMs < beforeMs) low = Math.min(found.number, high);
    else high = middle - 1;
  }
  return low;
}

function createPrune(database: DatabaseSync): Acts<PruneEvents>["audit.prune"] {
  const oldest = prepare<{ number: number }>(
    database,
    `SELECT number FROM audit_events
      WHERE account_id = ? AND region = ? AND number <= ? ORDER BY number LIMIT ?`,
  );
  const removals = [
    "DELETE FROM audit_events WHERE account_id = ?1 AND region = ?2 AND number <= ?3",
    // What a segment lists of events that are gone goes with the last of them.
    ...["audit_segment_values", "audit_segments"].map(
      (table) =>
        `DELETE FROM ${table} WHERE account_id = ?1 AND region = ?2
          AND segment < ?3 / ${segmentEvents}`,
    ),
  ].map((sql) => prepare(database, sql));
  return ({ accountId, region, throughNumber, rowsMax }) => {
    const rows = oldest.all(accountId, region, throughNumber, rowsMax);
    const last = rows.at(-1);
    if (last === undefined) return { removed: 0 };
    for (const removal of removals) removal.run(accountId, region, last.number);
    return { removed: rows.length };
  };
}
