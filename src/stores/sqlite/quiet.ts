import type { DatabaseSync } from "node:sqlite";
import type { MessageCounts, QueueMeasures } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import type { Fresh } from "./fresh.ts";
import type { Groups } from "./groups.ts";
import type { Tallies } from "./tallies.ts";

/** A queue as a whole, retention taken into account. */
export interface WholeQueue extends MessageCounts {
  readonly oldestSentMs: number | undefined;
}

export type MeasureQuiet = (
  queue: number,
  nowMs: number,
  retainedSinceMs: number,
  whole: WholeQueue,
) => Pick<QueueMeasures, "noisyGroups" | "quiet">;

/**
 * What a fair queue holds beside its noisy groups. These are few (each has a tenth of what is in
 * flight), so what they hold is taken off the whole; nobody walks through the others.
 */
export function createMeasureQuiet(
  database: DatabaseSync,
  tallies: Tallies,
  groups: Groups,
  fresh: Fresh,
): MeasureQuiet {
  const all = prepare<{ count: number }>(
    database,
    `SELECT count(*) AS count FROM message_states INDEXED BY message_states_by_tenant
      WHERE queue = ? AND lane = 1 AND group_id = ?`,
  );
  const hidden = prepare<{ count: number }>(
    database,
    `SELECT count(*) AS count FROM message_states INDEXED BY message_states_by_tenant
      WHERE queue = ? AND lane = 1 AND group_id = ? AND visible_at_ms > ?`,
  );
  const sentOf = prepare<{ sentMs: number }>(
    database,
    "SELECT sent_ms AS sentMs FROM message_states WHERE sequence = ?",
  );
  const ungrouped = prepare<{ sentMs: number }>(
    database,
    `SELECT sent_ms AS sentMs FROM message_states INDEXED BY message_states_by_visibility
      WHERE queue = ? AND lane = 0 AND sent_ms >= ? ORDER BY visible_at_ms, sequence LIMIT 1`,
  );

  /** Of the quiet group whose message has been ready longest, and of messages without a group. */
  function oldestOf(
    queue: number,
    noisy: ReadonlySet<string>,
    retainedSinceMs: number,
  ): number | undefined {
    const heads = groups.ready(queue, Number.MAX_SAFE_INTEGER, undefined, noisy.size + 1);
    const quiet = heads.find(({ groupId }) => !noisy.has(groupId));
    const sent = [
      quiet && sentOf.get(quiet.sequence)?.sentMs,
      ungrouped.get(queue, retainedSinceMs)?.sentMs,
      fresh.oldestSentMs(queue, retainedSinceMs),
    ].filter((sentMs) => sentMs !== undefined && sentMs >= retainedSinceMs);
    return sent.length === 0 ? undefined : Math.min(...(sent as number[]));
  }

  return (queue, nowMs, retainedSinceMs, whole) => {
    const { inFlight: inFlightAll, tenants } = tallies.hidden(queue, nowMs);
    const noisy = tenants?.noisy(inFlightAll, nowMs) ?? [];
    const { visible, inFlight, delayed, oldestSentMs } = whole;
    const rest = { visible, inFlight, delayed };
    if (!tenants || noisy.length === 0) return { noisyGroups: 0, quiet: { ...rest, oldestSentMs } };
    for (const groupId of noisy) {
      const total = tenants.all(groupId, () => all.get(queue, groupId)?.count ?? 0);
      const hiddenNow = hidden.get(queue, groupId, nowMs)?.count ?? 0;
      const held = tenants.inFlight(groupId);
      rest.visible -= total - hiddenNow;
      rest.inFlight -= held;
      rest.delayed -= hiddenNow - held;
    }
    const quiet = {
      // Those beyond retention are off the whole already, and may be in a noisy group too.
      visible: Math.max(0, rest.visible),
      inFlight: Math.max(0, rest.inFlight),
      delayed: Math.max(0, rest.delayed),
      oldestSentMs: oldestOf(queue, new Set(noisy), retainedSinceMs),
    };
    return { noisyGroups: noisy.length, quiet };
  };
}
