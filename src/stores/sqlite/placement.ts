import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { InsertMessages, MoveMessages, QueueIdentity } from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { Sequence } from "./sequence.ts";
import type { Tallies } from "./tallies.ts";

/** How a message gets its place in a queue: sent, or moved from another one. */
export function placementActs(
  database: DatabaseSync,
  sequence: Sequence,
  tallies: Tallies,
): Acts<InsertMessages | MoveMessages> {
  return {
    "sqs.insert": createInsert(database, sequence, tallies),
    "sqs.move": createMove(database, sequence, tallies),
  };
}

function createInsert(
  database: DatabaseSync,
  sequence: Sequence,
  tallies: Tallies,
): (command: InsertMessages) => undefined {
  const putMessage = prepare(
    database,
    `INSERT INTO messages
       (account_id, region, queue_id, sequence, visible_at_ms, sent_ms, receive_count,
        first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id)
     VALUES (?, ?, ?, ?, ?, ?, 0, 0, '', 0, 0, '')`,
  );
  const putBody = prepare(
    database,
    `INSERT INTO message_bodies
       (account_id, region, queue_id, sequence, message_id, data_key_id, bytes, place_mac,
        attributes, system_attributes, sender_id, size_bytes, dead_letter_source_arn)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')`,
  );
  return ({ queue, messages }) => {
    const { accountId, region, queueId } = queue;
    for (const it of messages) {
      const place = sequence.next();
      const { dataKeyId, bytes } = it.sealed;
      putMessage.run(accountId, region, queueId, place, it.visibleAtMs, it.sentMs);
      putBody.run(
        accountId,
        region,
        queueId,
        place,
        it.messageId,
        dataKeyId,
        bytes,
        it.placeMac,
        it.attributes,
        it.systemAttributes,
        it.senderId,
        it.sizeBytes,
      );
      tallies.note(queue, it.visibleAtMs, 0, 1);
    }
    return undefined;
  };
}

interface Moved {
  readonly visibleAtMs: number;
  readonly receiveCount: number;
}

/**
 * A move gives a message a new place and leaves the rest: envelope, message id, send time, receive
 * count. It ends the claim, so a handle of the old queue does not reach it in the new one.
 */
function createMove(
  database: DatabaseSync,
  sequence: Sequence,
  tallies: Tallies,
): (command: MoveMessages) => { moved: number } {
  const moveMessage = prepare(
    database,
    `UPDATE messages
        SET account_id = ?, region = ?, queue_id = ?, sequence = ?, visible_at_ms = ?,
            claim_id = '', previous_claim_id = '', claim_counted = 0
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ? AND claim_id = ?`,
  );
  const moveBody = prepare(
    database,
    `UPDATE message_bodies
        SET account_id = ?, region = ?, queue_id = ?, sequence = ?, place_mac = ?,
            dead_letter_source_arn = ?
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`,
  );
  const read = prepare<Moved>(
    database,
    `SELECT visible_at_ms AS visibleAtMs, receive_count AS receiveCount FROM messages
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`,
  );

  function moveOne(command: MoveMessages, message: MoveMessages["messages"][number]): boolean {
    const { from, to, nowMs } = command;
    const oldPlace = [...identity(from), message.sequence] as const;
    const newPlace = [...identity(to), sequence.next()] as const;
    const state = read.get(...oldPlace);
    if (moveMessage.run(...newPlace, nowMs, ...oldPlace, message.claimId) === 0) return false;
    assert(state, "a message that moved was there");
    moveBody.run(...newPlace, message.placeMac, message.deadLetterSourceArn, ...oldPlace);
    tallies.note(from, state.visibleAtMs, state.receiveCount, -1);
    tallies.note(to, nowMs, state.receiveCount, 1);
    return true;
  }

  return (command) => {
    const { from, to } = command;
    // Data keys lie under account and region of the queue.
    const together = from.accountId === to.accountId && from.region === to.region;
    assert(together, "messages move inside one account and region");
    return { moved: command.messages.filter((message) => moveOne(command, message)).length };
  };
}

/** Leading columns of every message row. */
export function identity(queue: QueueIdentity): readonly [string, string, string] {
  return [queue.accountId, queue.region, queue.queueId];
}
