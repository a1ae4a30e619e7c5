import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { ClaimedMessage, ClaimMessages, QueueIdentity } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import type { Lane } from "./lanes.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

/** Columns of a claimed message, from `messages` joined with `message_bodies`. */
export const claimedColumns = `messages.sequence, message_id AS messageId,
  data_key_id AS dataKeyId, bytes, place_mac AS placeMac, attributes,
  system_attributes AS systemAttributes, sender_id AS senderId, sent_ms AS sentMs,
  first_received_ms AS firstReceivedMs, receive_count AS receiveCount,
  visible_at_ms AS visibleAtMs, dead_letter_source_arn AS deadLetterSourceArn,
  group_id AS groupId`;

export interface Claimed {
  readonly messages: ClaimedMessage[];
  readonly exhausted: ClaimedMessage[];
}

/** A message as a claim chooses it, before its body is read. */
export interface Choice {
  readonly sequence: number;
  readonly visibleAtMs: number;
}

export interface ClaimRows {
  /** The whole message. It must be there: it was chosen in this transaction. */
  load(queue: QueueIdentity, sequence: number): ClaimedMessage;
  /** Claims a message; not `counted`: it is exhausted. Answers it as it is claimed. */
  take(row: ClaimedMessage, lane: Lane, command: ClaimMessages, counted: boolean): ClaimedMessage;
}

/**
 * A message that is to go to the dead-letter queue stays hidden at least this long, so that the
 * caller's move finds it unclaimed by others even where a receive asks for no visibility timeout.
 */
const exhaustedHoldMs = 30_000;

/** Exhausted messages that one claim takes out of the way at most. */
export const exhaustedMax = 100;

export function createClaimRows(database: DatabaseSync, tallies: Tallies): ClaimRows {
  const load = prepare<ClaimedMessage>(
    database,
    `SELECT ${claimedColumns} FROM messages
       CROSS JOIN message_bodies USING (account_id, region, queue_id, sequence)
      WHERE messages.account_id = ? AND messages.region = ? AND messages.queue_id = ?
        AND messages.sequence = ?`,
  );
  const update = prepare(
    database,
    `UPDATE messages
        SET visible_at_ms = ?, receive_count = ?, first_received_ms = ?, claim_id = ?,
            claimed_ms = ?, claim_counted = ?, previous_claim_id = claim_id
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`,
  );
  return {
    load(queue, sequence) {
      const row = load.get(...identity(queue), sequence);
      assert(row, "a chosen message is there, with its body");
      return row;
    },
    take(row, lane, command, counted) {
      const { queue, nowMs, visibleAgainMs } = command;
      const { groupId, visibleAtMs } = row;
      const again = counted ? visibleAgainMs : Math.max(visibleAgainMs, nowMs + exhaustedHoldMs);
      const receiveCount = row.receiveCount + (counted ? 1 : 0);
      const firstReceivedMs = row.receiveCount === 0 ? nowMs : row.firstReceivedMs;
      const facts = [again, receiveCount, firstReceivedMs, command.claimId, nowMs] as const;
      update.run(...facts, counted ? 1 : 0, ...identity(queue), row.sequence);
      tallies.note(queue, { lane, groupId, visibleAtMs, receiveCount: row.receiveCount }, -1);
      tallies.note(queue, { lane, groupId, visibleAtMs: again, receiveCount }, 1);
      return { ...row, receiveCount, firstReceivedMs };
    },
  };
}
