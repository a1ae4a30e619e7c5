import type { DatabaseSync } from "node:sqlite";
import type {
  ChangeVisibility,
  DelayAnew,
  UnclaimMessages,
  VisibilityResult,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { Groups } from "./groups.ts";
import { lanes, type MessageState, neverHidden, stateColumns } from "./lanes.ts";
import type { QueueNumbers } from "./queue-numbers.ts";
import { unspent } from "./spent.ts";
import type { Tallies } from "./tallies.ts";

export interface HeldTools {
  readonly numbers: QueueNumbers;
  readonly tallies: Tallies;
  readonly groups: Groups;
}

interface HeldState extends MessageState {
  readonly claimId: string;
  readonly claimedMs: number;
  readonly claimCounted: number;
}

const samePlace = "queue = ? AND sequence = ?";
const selectState = `SELECT ${stateColumns}, claim_id AS claimId, claimed_ms AS claimedMs,
    claim_counted AS claimCounted FROM message_states WHERE ${samePlace}`;

/** What is done to hidden messages short of deleting or moving them. */
export function heldActs(
  database: DatabaseSync,
  tools: HeldTools,
): Acts<UnclaimMessages | ChangeVisibility | DelayAnew> {
  return {
    "sqs.unclaim": createUnclaim(database, tools),
    "sqs.visibility": createChangeVisibility(database, tools),
    "sqs.delay-anew": createDelayAnew(database, tools),
  };
}

function createUnclaim(
  database: DatabaseSync,
  { numbers, tallies, groups }: HeldTools,
): Acts<UnclaimMessages>["sqs.unclaim"] {
  const read = prepare<HeldState>(database, selectState);
  // The handle of the receive before stays good, as if this claim had never been.
  const update = prepare(
    database,
    `UPDATE message_states
        SET visible_at_ms = ?, receive_count = ?, claim_id = previous_claim_id,
            previous_claim_id = '', claim_counted = 0,
            first_received_ms = CASE receive_count - claim_counted WHEN 0 THEN 0
                                ELSE first_received_ms END
      WHERE ${samePlace}`,
  );
  return ({ queue: identity, messages }) => {
    const queue = numbers.find(identity);
    const changed: MessageState[] = [];
    for (const { sequence, claimId, visibleAtMs } of messages) {
      const place = [queue, sequence] as const;
      const state = read.get(...place);
      if (state?.claimId !== claimId) continue;
      const receiveCount = state.receiveCount - state.claimCounted;
      update.run(visibleAtMs, receiveCount, ...place);
      tallies.note(queue, state, -1);
      tallies.note(queue, { ...state, visibleAtMs, receiveCount }, 1);
      changed.push(state);
    }
    groups.changed(queue, changed);
    return undefined;
  };
}

function createChangeVisibility(
  database: DatabaseSync,
  { numbers, tallies, groups }: HeldTools,
): Acts<ChangeVisibility>["sqs.visibility"] {
  const read = prepare<HeldState>(database, selectState);
  const update = prepare(
    database,
    `UPDATE message_states SET visible_at_ms = ? WHERE ${samePlace}`,
  );
  return ({ queue: identity, nowMs, heldMsMax, changes }) => {
    const queue = numbers.find(identity);
    const changed: MessageState[] = [];
    const results = changes.map(({ sequence, claimId, visibleAtMs }): VisibilityResult => {
      const place = [queue, sequence] as const;
      const state = read.get(...place);
      if (state === undefined) return "absent";
      if (state.claimId !== claimId) return "superseded";
      if (state.lane === lanes.fifo && state.visibleAtMs <= nowMs) return "lapsed";
      if (visibleAtMs > state.claimedMs + heldMsMax) return "beyond-limit";
      update.run(visibleAtMs, ...place);
      tallies.note(queue, state, -1);
      tallies.note(queue, { ...state, visibleAtMs }, 1);
      changed.push(state);
      return "changed";
    });
    groups.changed(queue, changed);
    return results;
  };
}

/** Rare, and bounded by what was sent in the longest delay. */
function createDelayAnew(
  database: DatabaseSync,
  { numbers, tallies, groups }: HeldTools,
): Acts<DelayAnew>["sqs.delay-anew"] {
  const recent = prepare<{ sequence: number; groupId: string }>(
    database,
    `SELECT body.sequence, body.group_id AS groupId
       FROM message_bodies AS body INDEXED BY message_bodies_by_age
       LEFT JOIN message_states USING (sequence)
      WHERE body.queue = ? AND body.sent_ms > ? AND coalesce(receive_count, 0) = 0 AND ${unspent}`,
  );
  const delay = prepare(
    database,
    `INSERT INTO message_states
     SELECT sequence, queue, ${lanes.fifo}, group_id, sent_ms + ?, sent_ms, 0, 0, '', 0, 0, '',
            length(bytes)
       FROM message_bodies WHERE sequence = ?
         ON CONFLICT DO UPDATE SET visible_at_ms = excluded.visible_at_ms`,
  );
  return ({ queue: identity, sentAfterMs, delayMs }) => {
    const queue = numbers.find(identity);
    const all = recent.all(queue, sentAfterMs);
    for (const { sequence } of all) delay.run(delayMs, sequence);
    if (all.length === 0) return undefined;
    tallies.drop(queue);
    groups.changed(
      queue,
      all.map(({ groupId }) => neverHidden(groupId)),
    );
    return undefined;
  };
}
