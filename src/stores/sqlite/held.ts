import type { DatabaseSync } from "node:sqlite";
import type {
  ChangeVisibility,
  DelayAnew,
  UnclaimMessages,
  VisibilityResult,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { Groups } from "./groups.ts";
import { lanes, type MessageState, stateColumns } from "./lanes.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

interface HeldState extends MessageState {
  readonly claimId: string;
  readonly claimedMs: number;
  readonly claimCounted: number;
}

const samePlace = "account_id = ? AND region = ? AND queue_id = ? AND sequence = ?";
const selectState = `SELECT ${stateColumns}, claim_id AS claimId, claimed_ms AS claimedMs,
    claim_counted AS claimCounted FROM messages WHERE ${samePlace}`;

/** What is done to hidden messages short of deleting or moving them. */
export function heldActs(
  database: DatabaseSync,
  tallies: Tallies,
  groups: Groups,
): Acts<UnclaimMessages | ChangeVisibility | DelayAnew> {
  return {
    "sqs.unclaim": createUnclaim(database, tallies, groups),
    "sqs.visibility": createChangeVisibility(database, tallies, groups),
    "sqs.delay-anew": createDelayAnew(database, tallies, groups),
  };
}

function createUnclaim(
  database: DatabaseSync,
  tallies: Tallies,
  groups: Groups,
): Acts<UnclaimMessages>["sqs.unclaim"] {
  const read = prepare<HeldState>(database, selectState);
  // The handle of the receive before stays good, as if this claim had never been.
  const update = prepare(
    database,
    `UPDATE messages
        SET visible_at_ms = ?, receive_count = ?, claim_id = previous_claim_id,
            previous_claim_id = '', claim_counted = 0,
            first_received_ms = CASE receive_count - claim_counted WHEN 0 THEN 0
                                ELSE first_received_ms END
      WHERE ${samePlace}`,
  );
  return ({ queue, messages }) => {
    const changed: MessageState[] = [];
    for (const { sequence, claimId, visibleAtMs } of messages) {
      const place = [...identity(queue), sequence] as const;
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
  tallies: Tallies,
  groups: Groups,
): Acts<ChangeVisibility>["sqs.visibility"] {
  const read = prepare<HeldState>(database, selectState);
  const update = prepare(database, `UPDATE messages SET visible_at_ms = ? WHERE ${samePlace}`);
  return ({ queue, nowMs, heldMsMax, changes }) => {
    const changed: MessageState[] = [];
    const results = changes.map(({ sequence, claimId, visibleAtMs }): VisibilityResult => {
      const place = [...identity(queue), sequence] as const;
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
  tallies: Tallies,
  groups: Groups,
): Acts<DelayAnew>["sqs.delay-anew"] {
  const update = prepare<MessageState>(
    database,
    `UPDATE messages SET visible_at_ms = sent_ms + ? WHERE (account_id, region, queue_id, sequence)
       IN (SELECT account_id, region, queue_id, sequence FROM messages INDEXED BY messages_by_age
            WHERE account_id = ? AND region = ? AND queue_id = ? AND sent_ms > ?)
        AND receive_count = 0 RETURNING ${stateColumns}`,
  );
  return ({ queue, sentAfterMs, delayMs }) => {
    const changed = update.all(delayMs, ...identity(queue), sentAfterMs);
    if (changed.length === 0) return undefined;
    tallies.drop(queue);
    groups.changed(queue, changed);
    return undefined;
  };
}
