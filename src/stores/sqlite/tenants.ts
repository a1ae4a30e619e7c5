/**
 * Tenants of a fair queue: groups of a standard queue, by their share of what is in flight.
 *
 * AWS: SQS developer guide, fair queues: a tenant is noisy with more than a tenth of what is in
 * flight and at least 30; it is quiet again when its backlog is drained or after 5 minutes without
 * a send. AWS?: "disproportionate processing time" is seen by its effect, messages in flight.
 */
export interface Tenants {
  /** So many messages of the group more (or, negative, fewer) are in flight. */
  note(groupId: string, change: number): void;
  sent(groupId: string, nowMs: number): void;
  /** Noisy groups, the fewest in flight first. */
  noisy(inFlightAll: number, nowMs: number): readonly string[];
  /** The group has nothing more to receive. */
  drained(groupId: string): void;
  /** A message of the group came or went. */
  noteAll(groupId: string, change: number): void;
  /** All messages of a noisy group; `count` counts them when this is first asked. */
  all(groupId: string, count: () => number): number;
  /** Messages of the group in flight. */
  inFlight(groupId: string): number;
}

const noisyInFlightMin = 30;
const noisyShare = 0.1;
const noisyWithoutSendMs = 300_000;

interface Heavy {
  lastSentMs: number;
  noisy: boolean;
  /** All its messages; undefined until somebody asked. */
  all?: number;
}

export function createTenants(
  inFlightNow: Iterable<readonly [string, number]>,
  nowMs: number,
): Tenants {
  const inFlight = new Map<string, number>();
  /** Groups that are or may become noisy: few, so that a claim looks at these only. */
  const heavy = new Map<string, Heavy>();

  function note(groupId: string, change: number, atMs: number): void {
    const count = (inFlight.get(groupId) ?? 0) + change;
    if (count <= 0) inFlight.delete(groupId);
    else inFlight.set(groupId, count);
    const known = heavy.get(groupId);
    if (count >= noisyInFlightMin) {
      if (!known) heavy.set(groupId, { lastSentMs: atMs, noisy: false });
    } else if (known && !known.noisy) heavy.delete(groupId);
  }

  function isNoisy(groupId: string, state: Heavy, inFlightAll: number, atMs: number): boolean {
    const count = inFlight.get(groupId) ?? 0;
    if (atMs - state.lastSentMs >= noisyWithoutSendMs) state.noisy = false;
    else if (count >= noisyInFlightMin && count > inFlightAll * noisyShare) state.noisy = true;
    if (!state.noisy && count < noisyInFlightMin) heavy.delete(groupId);
    return state.noisy;
  }

  let latestMs = nowMs;
  for (const [groupId, count] of inFlightNow) note(groupId, count, nowMs);
  return {
    note: (groupId, change) => note(groupId, change, latestMs),
    sent(groupId, atMs) {
      latestMs = atMs;
      const known = heavy.get(groupId);
      if (known) known.lastSentMs = atMs;
    },
    noisy(inFlightAll, atMs) {
      latestMs = atMs;
      if (heavy.size === 0) return [];
      return [...heavy]
        .filter(([groupId, state]) => isNoisy(groupId, state, inFlightAll, atMs))
        .map(([groupId]) => groupId)
        .sort((a, b) => (inFlight.get(a) ?? 0) - (inFlight.get(b) ?? 0));
    },
    drained: (groupId) => heavy.delete(groupId),
    noteAll(groupId, change) {
      const known = heavy.get(groupId);
      if (known?.all !== undefined) known.all += change;
    },
    all(groupId, count) {
      const known = heavy.get(groupId);
      if (!known) return count();
      known.all ??= count();
      return known.all;
    },
    inFlight: (groupId) => inFlight.get(groupId) ?? 0,
  };
}
