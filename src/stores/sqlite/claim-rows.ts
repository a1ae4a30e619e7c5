import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { prepare, prepareArrays } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";
import type { Lane } from "./lanes.ts";
import type { Tallies } from "./tallies.ts";

/** Columns of a stored message, in the order of `StoredRow`. */
const messageColumns = `body.sequence, message_id, data_key, body.bytes, rest.bytes, place_mac,
  attributes, system_attributes, sender_id, body.sent_ms, coalesce(first_received_ms, 0),
  coalesce(receive_count, 0), coalesce(visible_at_ms, body.sent_ms), dead_letter_source_arn,
  body.group_id`;

type StoredRow = readonly [
  sequence: number,
  messageId: string,
  dataKey: number,
  bytes: Uint8Array<ArrayBuffer>,
  bodyPart: Uint8Array<ArrayBuffer> | null,
  placeMac: Uint8Array<ArrayBuffer>,
  attributes: string,
  systemAttributes: string,
  senderId: string,
  sentMs: number,
  firstReceivedMs: number,
  receiveCount: number,
  visibleAtMs: number,
  deadLetterSourceArn: string,
  groupId: string,
];

export interface Claimed {
  readonly messages: ClaimedMessage[];
  readonly exhausted: ClaimedMessage[];
}

export interface ClaimRows {
  /** The whole message. It must be there: it was chosen in this transaction. */
  load(sequence: number): ClaimedMessage;
  /** Claims a message; not `counted`: it is exhausted. Answers it as it is claimed. */
  take(
    queue: number,
    message: ClaimedMessage,
    lane: Lane,
    command: ClaimMessages,
    counted: boolean,
  ): ClaimedMessage;
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
  const read = prepareArrays<StoredRow>(
    database,
    `SELECT ${messageColumns} FROM message_bodies AS body
       LEFT JOIN shared_bodies AS rest ON rest.number = body.shared
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
  return {
    load(sequence) {
      const row = read.get(sequence);
      assert(row, "a chosen message is there, with its body");
      return messageOf(row, dataKeys);
    },
    take(queue, message, lane, command, counted) {
      const { nowMs, visibleAgainMs, claimId } = command;
      const { sequence, groupId, visibleAtMs, sentMs, bytes } = message;
      const again = counted ? visibleAgainMs : Math.max(visibleAgainMs, nowMs + exhaustedHoldMs);
      const receiveCount = message.receiveCount + (counted ? 1 : 0);
      const firstReceivedMs = message.receiveCount === 0 ? nowMs : message.firstReceivedMs;
      const life = [sequence, queue, lane, groupId, sentMs, bytes.length] as const;
      const facts = [again, receiveCount, firstReceivedMs, claimId, nowMs] as const;
      write.run(...life, ...facts, counted ? 1 : 0);
      tallies.note(queue, { lane, groupId, visibleAtMs, receiveCount: message.receiveCount }, -1);
      tallies.note(queue, { lane, groupId, visibleAtMs: again, receiveCount }, 1);
      return { ...message, receiveCount, firstReceivedMs };
    },
  };
}

function messageOf(
  [
    sequence,
    messageId,
    dataKey,
    bytes,
    bodyPart,
    placeMac,
    attributes,
    systemAttributes,
    senderId,
    sentMs,
    firstReceivedMs,
    receiveCount,
    visibleAtMs,
    deadLetterSourceArn,
    groupId,
  ]: StoredRow,
  dataKeys: DataKeys,
): ClaimedMessage {
  return {
    sequence,
    messageId,
    dataKeyId: dataKeys.withNumber(dataKey).id,
    bytes: bodyPart ? Buffer.concat([bytes, bodyPart]) : bytes,
    placeMac,
    attributes,
    systemAttributes,
    senderId,
    sentMs,
    firstReceivedMs,
    receiveCount,
    visibleAtMs,
    deadLetterSourceArn,
    groupId,
  };
}
