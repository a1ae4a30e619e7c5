import type { DatabaseSync } from "node:sqlite";
import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import { type Claimed, type ClaimRows, exhaustedMax } from "./claim-rows.ts";
import type { Choice, Fresh } from "./fresh.ts";
import type { Groups } from "./groups.ts";
import { lanes, type MessageState } from "./lanes.ts";
import type { Tenants } from "./tenants.ts";

export type StandardClaim = (
  queue: number,
  command: ClaimMessages,
  count: number,
  tenants: Tenants | undefined,
  inFlight: number,
) => Claimed;

/**
 * Visible messages are ranges of indexes, so a claim costs the same at any depth; messages beyond
 * retention inside them are stepped over in the index until they are swept.
 */
export function createStandardClaim(
  database: DatabaseSync,
  rows: ClaimRows,
  groups: Groups,
  fresh: Fresh,
): StandardClaim {
  const choose = createChoose(database, groups);

  function chosen(
    queue: number,
    command: ClaimMessages,
    limit: number,
    tenants: Tenants | undefined,
    noisy: readonly string[],
  ): readonly Choice[] {
    const unhidden = fresh.first(queue, command, limit);
    const choices = choose(queue, command, limit, unhidden, tenants, noisy);
    const last = unhidden.findLast((choice) => choices.includes(choice));
    if (last) fresh.left(queue, last);
    return choices;
  }

  return (queue, command, count, tenants, inFlight) => {
    const { nowMs, receiveCountMax = Number.POSITIVE_INFINITY } = command;
    const noisy = tenants?.noisy(inFlight, nowMs) ?? [];
    const messages: ClaimedMessage[] = [];
    const exhausted: ClaimedMessage[] = [];
    for (;;) {
      const limit = count - messages.length;
      const choices = chosen(queue, command, limit, tenants, noisy);
      const found = choices.map(({ sequence }) => rows.load(sequence));
      const before = exhausted.length;
      for (const row of found) {
        const counted = row.receiveCount < receiveCountMax;
        (counted ? messages : exhausted).push(rows.take(queue, row, laneOf(row), command, counted));
      }
      if (tenants) groups.changed(queue, found.map(stateOf));
      // Another round only to make up for exhausted ones. Claimed messages that are visible again
      // at once would come back in it, so there is none then.
      const madeUp = messages.length >= count || exhausted.length === before;
      const comesBack = command.visibleAgainMs <= nowMs && messages.length > 0;
      if (madeUp || comesBack || exhausted.length >= exhaustedMax) return { messages, exhausted };
    }
  };
}

function laneOf({ groupId }: ClaimedMessage) {
  return groupId === "" ? lanes.plain : lanes.tenant;
}

function stateOf(row: ClaimedMessage): MessageState {
  const { groupId, visibleAtMs, receiveCount } = row;
  return { lane: laneOf(row), groupId, visibleAtMs, receiveCount };
}

type Choose = (
  queue: number,
  command: ClaimMessages,
  limit: number,
  fresh: readonly Choice[],
  tenants: Tenants | undefined,
  noisy: readonly string[],
) => readonly Choice[];

/** The messages that a claim takes; from a queue with tenants quiet ones first. */
function createChoose(database: DatabaseSync, groups: Groups): Choose {
  const ofLane = prepare<Choice>(
    database,
    `SELECT sequence, visible_at_ms AS visibleAtMs
       FROM message_states INDEXED BY message_states_by_visibility
      WHERE queue = ? AND lane = ? AND visible_at_ms <= ? AND sent_ms >= ?
      ORDER BY visible_at_ms, sequence LIMIT ?`,
  );
  const ofTenant = prepare<Choice>(
    database,
    `SELECT sequence, visible_at_ms AS visibleAtMs
       FROM message_states INDEXED BY message_states_by_tenant
      WHERE queue = ? AND lane = 1 AND group_id = ? AND visible_at_ms <= ? AND sent_ms >= ?
      ORDER BY visible_at_ms, sequence LIMIT ?`,
  );
  const fromTenant = (
    queue: number,
    { nowMs, retainedSinceMs }: ClaimMessages,
    id: string,
    limit: number,
  ) => ofTenant.all(queue, id, nowMs, retainedSinceMs, limit);

  /** Few groups are noisy, so stepping over them is cheap however long their backlog is. */
  function quietTenants(queue: number, nowMs: number, limit: number, noisy: Set<string>) {
    const ready = groups.ready(queue, nowMs, undefined, limit + noisy.size);
    return ready.filter(({ groupId }) => !noisy.has(groupId)).slice(0, limit);
  }

  return (queue, command, limit, fresh, tenants, noisy) => {
    const { nowMs, retainedSinceMs } = command;
    const lane = (number: number) => ofLane.all(queue, number, nowMs, retainedSinceMs, limit);
    const ungrouped = oldest([fresh, lane(lanes.plain)], limit);
    if (!tenants) return ungrouped;
    if (noisy.length === 0) return oldest([ungrouped, lane(lanes.tenant)], limit);
    const quiet = quietTenants(queue, nowMs, limit, new Set(noisy)).flatMap(({ groupId }) =>
      fromTenant(queue, command, groupId, limit),
    );
    const chosen = [...oldest([ungrouped, quiet], limit)];
    for (const groupId of noisy) {
      if ((groups.readyAt(queue, groupId) ?? Number.POSITIVE_INFINITY) > nowMs) {
        tenants.drained(groupId);
      } else if (chosen.length < limit) {
        chosen.push(...fromTenant(queue, command, groupId, limit - chosen.length));
      }
    }
    return chosen;
  };
}

function oldest(
  [some, others]: readonly [readonly Choice[], readonly Choice[]],
  limit: number,
): readonly Choice[] {
  if (others.length === 0) return some;
  return [...some, ...others]
    .sort((a, b) => a.visibleAtMs - b.visibleAtMs || a.sequence - b.sequence)
    .slice(0, limit);
}
