import type { DatabaseSync } from "node:sqlite";
import type { MessageCounts } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import { stateless } from "./fresh.ts";
import { lanes, type MessageState } from "./lanes.ts";
import { createTenants, type Tenants } from "./tenants.ts";

/**
 * Counts of each queue's messages, kept in memory so that neither a claim (in-flight limit) nor the
 * counts of a deep queue walk through it. What is hidden is counted when first asked for, all
 * messages when their number is; from then on changes are noted, and what became visible with time
 * is found in the index between the two times. Exact, whichever way the clock goes.
 *
 * Messages beyond their retention are still counted here; `counts` takes them off.
 */
export interface Tallies {
  /** What a claim must know; costs the same at any depth. */
  hidden(queue: number, nowMs: number): Readonly<Hidden>;
  counts(queue: number, nowMs: number): MessageCounts;
  /** A message came (`+1`) or went (`-1`) in this state. */
  note(queue: number, state: MessageState, change: 1 | -1): void;
  /** A message of a tenant was sent. */
  sent(queue: number, groupId: string, nowMs: number): void;
  drop(queue: number): void;
  /** Something was rolled back: count anew. */
  clear(): void;
}

export interface Hidden {
  readonly inFlight: number;
  readonly delayed: number;
  /** undefined: no message of the queue has a group, or it is a FIFO queue. */
  readonly tenants: Tenants | undefined;
}

interface Tally {
  asOfMs: number;
  inFlight: number;
  delayed: number;
  tenants: Tenants | undefined;
  /** All messages; undefined until somebody asked. */
  total: number | undefined;
}

export function createTallies(database: DatabaseSync): Tallies {
  const tallies = new Map<number, Tally>();
  const count = createCount(database);

  function load(queue: number, nowMs: number): Tally {
    return {
      asOfMs: nowMs,
      ...count.hidden(queue, nowMs, Number.MAX_SAFE_INTEGER),
      tenants: count.hasTenants(queue)
        ? createTenants(count.byTenant(queue, nowMs, Number.MAX_SAFE_INTEGER), nowMs)
        : undefined,
      total: undefined,
    };
  }

  /** What lies between the two times changes sides: visible going forward, hidden going back. */
  function advance(tally: Tally, queue: number, nowMs: number): void {
    if (nowMs === tally.asOfMs) return;
    const [fromMs, toMs] = [Math.min(nowMs, tally.asOfMs), Math.max(nowMs, tally.asOfMs)];
    const moved = count.hidden(queue, fromMs, toMs);
    const direction = nowMs > tally.asOfMs ? -1 : 1;
    tally.inFlight += direction * moved.inFlight;
    tally.delayed += direction * moved.delayed;
    if (tally.tenants && moved.inFlight > 0) {
      for (const [groupId, received] of count.byTenant(queue, fromMs, toMs)) {
        tally.tenants.note(groupId, direction * received);
      }
    }
    tally.asOfMs = nowMs;
  }

  function at(queue: number, nowMs: number): Tally {
    const known = tallies.get(queue);
    const tally = known ?? load(queue, nowMs);
    if (known === undefined) tallies.set(queue, tally);
    else advance(tally, queue, nowMs);
    return tally;
  }

  return {
    hidden: at,
    counts(queue, nowMs) {
      const tally = at(queue, nowMs);
      tally.total ??= count.all(queue);
      const { inFlight } = tally;
      const delayed = tally.delayed + count.toCome(queue, nowMs);
      return { visible: tally.total - inFlight - delayed, inFlight, delayed };
    },
    note(queue, { lane, groupId, visibleAtMs, receiveCount }, change) {
      const tally = tallies.get(queue);
      if (tally === undefined) return;
      if (tally.total !== undefined) tally.total += change;
      if (lane === lanes.tenant) {
        tally.tenants ??= createTenants([], tally.asOfMs);
        tally.tenants.noteAll(groupId, change);
      }
      if (visibleAtMs <= tally.asOfMs) return;
      if (receiveCount === 0) tally.delayed += change;
      else {
        tally.inFlight += change;
        if (lane === lanes.tenant) tally.tenants?.note(groupId, change);
      }
    },
    sent: (queue, groupId, nowMs) => tallies.get(queue)?.tenants?.sent(groupId, nowMs),
    drop: (queue) => tallies.delete(queue),
    clear: () => tallies.clear(),
  };
}

/** Ranges of the index: above the first time, up to the second one. */
function createCount(database: DatabaseSync) {
  const between = `queue = ? AND lane IN (0, 1, 2) AND visible_at_ms > ? AND visible_at_ms <= ?`;
  const all = prepare<{ total: number }>(
    database,
    `SELECT (SELECT count(*) FROM message_bodies INDEXED BY message_bodies_by_age
              WHERE queue = ?1)
          - (SELECT count(*) FROM spent_messages WHERE queue = ?1) AS total`,
  );
  const hidden = prepare<{ inFlight: number; delayed: number }>(
    database,
    `SELECT count(*) FILTER (WHERE receive_count > 0) AS inFlight,
            count(*) FILTER (WHERE receive_count = 0) AS delayed
       FROM message_states INDEXED BY message_states_by_visibility WHERE ${between}`,
  );
  const toCome = prepare<{ toCome: number }>(
    database,
    `SELECT count(*) AS toCome FROM message_bodies AS body INDEXED BY message_bodies_by_age
      WHERE queue = ? AND sent_ms > ? AND group_id = '' AND ${stateless}`,
  );
  const tenant = prepare(
    database,
    `SELECT 1 FROM message_states INDEXED BY message_states_by_visibility
      WHERE queue = ? AND lane = 1 LIMIT 1`,
  );
  const byTenant = prepare<{ groupId: string; received: number }>(
    database,
    `SELECT group_id AS groupId, count(*) AS received
       FROM message_states INDEXED BY message_states_by_visibility
      WHERE queue = ? AND lane = 1 AND visible_at_ms > ? AND visible_at_ms <= ?
        AND receive_count > 0
      GROUP BY group_id`,
  );
  return {
    all: (queue: number) => all.get(queue)?.total ?? 0,
    hidden: (queue: number, fromMs: number, toMs: number) => {
      const row = hidden.get(queue, fromMs, toMs);
      return { inFlight: row?.inFlight ?? 0, delayed: row?.delayed ?? 0 };
    },
    /** Without a state, and sent later: the clock went back. */
    toCome: (queue: number, nowMs: number) => toCome.get(queue, nowMs)?.toCome ?? 0,
    hasTenants: (queue: number) => tenant.get(queue) !== undefined,
    byTenant: (queue: number, fromMs: number, toMs: number) =>
      byTenant
        .all(queue, fromMs, toMs)
        .map(({ groupId, received }) => [groupId, received] as const),
  };
}
