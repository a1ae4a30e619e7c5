import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";
import type { Lane } from "./lanes.ts";
import type { Tallies } from "./tallies.ts";

/** Columns of a stored message, from `message_bodies AS body` joined with `message_states`. */
export const messageColumns = `body.sequence, message_id AS messageId, data_key AS dataKey, bytes,
  place_mac AS placeMac, attributes, system_attributes AS systemAttributes,
  sender_id AS senderId, body.sent_ms AS sentMs,
  coalesce(first_received_ms, 0) AS firstReceivedMs, coalesce(receive_count, 0) AS receiveCount,
  coalesce(visible_at_ms, body.sent_ms) AS visibleAtMs,
  dead_letter_source_arn AS deadLetterSourceArn, body.group_id AS groupId`;

/** A message as it lies in the tables, its data key by number. */
export type StoredMessage = Omit<ClaimedMessage, "dataKeyId"> & { readonly dataKey: number };

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
  load(sequence: number): StoredMessage;
  /** Claims a message; not `counted`: it is exhausted. Answers it as it is claimed. */
  take(
    queue: number,
    row: StoredMessage,
    lane: Lane,
    command: ClaimMessages,
    counted: boolean,
  ): ClaimedMessage;
  claimed(row: StoredMessage): ClaimedMessage;
}

/**
 * A message that is to go to the dead-letter queue stays hidden at least this long, so that the
 * caller's move finds it unclaimed by others even where a receive asks for no visibility timeout.
 */
const exhaustedHoldMs = 30_000;

/** Exhausted messages that one claim takes out of the way at most. */
export const exhaustedMax = 100;

export function createClaimRows(
  database: DatabaseSync,
  dataKeys: DataKeys,
  tallies: Tallies,
): ClaimRows {
  const load = prepare<StoredMessage>(
    database,
    `SELECT ${messageColumns} FROM message_bodies AS body
       LEFT JOIN message_states USING (sequence) WHERE body.sequence = ?`,
  );
  const write = prepare(
    database,
    `INSERT INTO message_states
       (sequence, queue, lane, group_id, sent_ms, size_bytes, visible_at_ms, receive_count,
        first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT DO UPDATE
        SET visible_at_ms = excluded.visible_at_ms, receive_count = excluded.receive_count,
            first_received_ms = excluded.first_received_ms, claim_id = excluded.claim_id,
            claimed_ms = excluded.claimed_ms, claim_counted = excluded.claim_counted,
            previous_claim_id = claim_id`,
  );
  const claimed = ({ dataKey, ...row }: StoredMessage): ClaimedMessage => ({
    ...row,
    dataKeyId: dataKeys.withNumber(dataKey).id,
  });
  return {
    claimed,
    load(sequence) {
      const row = load.get(sequence);
      assert(row, "a chosen message is there, with its body");
      return row;
    },
    take(queue, row, lane, command, counted) {
      const { nowMs, visibleAgainMs, claimId } = command;
      const { sequence, groupId, visibleAtMs, sentMs, bytes } = row;
      const again = counted ? visibleAgainMs : Math.max(visibleAgainMs, nowMs + exhaustedHoldMs);
      const receiveCount = row.receiveCount + (counted ? 1 : 0);
      const firstReceivedMs = row.receiveCount === 0 ? nowMs : row.firstReceivedMs;
      const life = [sequence, queue, lane, groupId, sentMs, bytes.length] as const;
      const facts = [again, receiveCount, firstReceivedMs, claimId, nowMs] as const;
      write.run(...life, ...facts, counted ? 1 : 0);
      tallies.note(queue, { lane, groupId, visibleAtMs, receiveCount: row.receiveCount }, -1);
      tallies.note(queue, { lane, groupId, visibleAtMs: again, receiveCount }, 1);
      return { ...claimed(row), receiveCount, firstReceivedMs };
    },
  };
}
