import { lanes } from "./lanes.ts";
import type { Session } from "./session.ts";

/**
 * Tenants of a fair queue: groups of a standard queue, by their share of what is in flight.
 *
 * AWS: SQS developer guide, fair queues: a tenant is noisy with more than a tenth of what is in
 * flight and at least 30; it is quiet again when its backlog is drained or after 5 minutes without
 * a send. AWS?: "disproportionate processing time" is seen by its effect, messages in flight.
 *
 * What is in flight is counted in the database; when a tenant sent last is known to the process
 * that took the send, and to others by what is left of it.
 */
export interface Tenants {
  /** Noisy groups, the fewest in flight first; undefined: the queue has no tenants. */
  noisy(session: Session, queue: number, nowMs: number): Promise<Noisy | undefined>;
  /** A message of a tenant was sent here. */
  sent(queue: number, groupId: string, sentMs: number): void;
  /** A message of a tenant may have come to the queue. */
  expect(queue: number): void;
  /** The group has nothing more to receive. */
  drained(queue: number, groupId: string): void;
  /** What the metrics tell; undefined: the queue has no tenants. */
  measure(
    session: Session,
    queue: number,
    nowMs: number,
  ): Promise<{ readonly groupsInFlight: number; readonly noisy: Noisy } | undefined>;
}

export type Noisy = readonly string[];

const noisyInFlightMin = 30;
const noisyShare = 0.1;
const noisyWithoutSendMs = 300_000;
/** A queue without tenants may get some through another process. */
const lookAgainMs = 500;
const queuesMax = 100_000;

interface Heavy {
  lastSentMs: number;
  noisy: boolean;
}

interface State {
  hasTenants: boolean;
  lookedAtMs: number;
  readonly heavy: Map<string, Heavy>;
}

/** `elapsedMs`: time that passes by itself, for how long a look is good. */
export function createTenants(elapsedMs: () => number): Tenants {
  const states = new Map<number, State>();

  function stateOf(queue: number): State {
    let state = states.get(queue);
    if (state === undefined) {
      if (states.size >= queuesMax) states.clear();
      state = { hasTenants: false, lookedAtMs: Number.NEGATIVE_INFINITY, heavy: new Map() };
      states.set(queue, state);
    }
    return state;
  }

  async function hasTenants(session: Session, queue: number, state: State): Promise<boolean> {
    const atMs = elapsedMs();
    if (!state.hasTenants && atMs - state.lookedAtMs < lookAgainMs) return false;
    if (atMs - state.lookedAtMs < lookAgainMs) return true;
    const some = await session.all(
      `SELECT 1 FROM messages WHERE queue = $1::int8 AND lane = ${lanes.tenant} LIMIT 1`,
      queue,
    );
    state.lookedAtMs = atMs;
    state.hasTenants = some.length > 0;
    return state.hasTenants;
  }

  async function judge(session: Session, queue: number, nowMs: number) {
    const state = stateOf(queue);
    if (!(await hasTenants(session, queue, state))) return undefined;
    const counts = await inFlightByTenant(session, queue, nowMs);
    let all = 0;
    for (const { count } of counts) all += count;
    const tenants = new Map<string, number>();
    for (const { groupId, count } of counts) if (groupId !== "") tenants.set(groupId, count);
    await noteHeavy(session, queue, state, tenants, nowMs);
    const noisy = [...state.heavy]
      .filter(([groupId, heavy]) => isNoisy(heavy, tenants.get(groupId) ?? 0, all, nowMs))
      .map(([groupId]) => groupId)
      .sort((a, b) => (tenants.get(a) ?? 0) - (tenants.get(b) ?? 0));
    for (const [groupId, { noisy: still }] of state.heavy) {
      if (!still && (tenants.get(groupId) ?? 0) < noisyInFlightMin) state.heavy.delete(groupId);
    }
    return { noisy, groupsInFlight: tenants.size };
  }

  return {
    noisy: async (session, queue, nowMs) => (await judge(session, queue, nowMs))?.noisy,
    sent(queue, groupId, sentMs) {
      const state = stateOf(queue);
      state.hasTenants = true;
      const heavy = state.heavy.get(groupId);
      if (heavy) heavy.lastSentMs = sentMs;
    },
    expect(queue) {
      stateOf(queue).hasTenants = true;
      stateOf(queue).lookedAtMs = Number.NEGATIVE_INFINITY;
    },
    drained: (queue, groupId) => states.get(queue)?.heavy.delete(groupId),
    measure: judge,
  };
}

/** Those that are or may become noisy: few, so that a claim looks at these only. */
async function noteHeavy(
  session: Session,
  queue: number,
  state: State,
  tenants: ReadonlyMap<string, number>,
  nowMs: number,
): Promise<void> {
  for (const [groupId, count] of tenants) {
    if (count >= noisyInFlightMin && !state.heavy.has(groupId)) {
      state.heavy.set(groupId, { lastSentMs: nowMs, noisy: false });
    }
  }
  for (const [groupId, heavy] of state.heavy) {
    if (nowMs - heavy.lastSentMs < noisyWithoutSendMs) continue;
    const [row] = await session.all<{ sentMs: number | null }>(
      `SELECT max(sent_ms) AS "sentMs" FROM messages
        WHERE queue = $1::int8 AND lane = 1 AND group_id = $2::text`,
      queue,
      groupId,
    );
    heavy.lastSentMs = Math.max(heavy.lastSentMs, row?.sentMs ?? 0);
  }
}

function isNoisy(heavy: Heavy, count: number, all: number, nowMs: number): boolean {
  if (nowMs - heavy.lastSentMs >= noisyWithoutSendMs) heavy.noisy = false;
  else if (count >= noisyInFlightMin && count > all * noisyShare) heavy.noisy = true;
  return heavy.noisy;
}

/** Messages without a tenant come under "". */
function inFlightByTenant(session: Session, queue: number, nowMs: number) {
  const ofLane = (lane: number) => `SELECT group_id FROM messages WHERE queue = $1::int8
    AND lane = ${lane} AND visible_at_ms > $2::int8 AND receive_count > 0`;
  return session.all<{ groupId: string; count: number }>(
    `SELECT group_id AS "groupId", count(*) AS count
       FROM (${ofLane(lanes.plain)} UNION ALL ${ofLane(lanes.tenant)}) AS held GROUP BY group_id`,
    queue,
    nowMs,
  );
}
