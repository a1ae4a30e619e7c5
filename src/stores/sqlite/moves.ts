import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { CountMoved, ForgetMoved, MoveMessages } from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { GoneMessage } from "./groups.ts";
import { type MessageState, stateColumns } from "./lanes.ts";
import type { PlacementTools } from "./placement.ts";

type Moving = MoveMessages["messages"][number];

/**
 * A move gives a message a new place and leaves its envelope. A dead-letter move leaves message id,
 * send time and receive count as well; a move task makes a new message of it. It ends the claim, so
 * a handle of the old queue does not reach it in the new one.
 */
export function moveActs(
  database: DatabaseSync,
  { sequence, numbers, tallies, groups }: PlacementTools,
): Acts<MoveMessages | CountMoved | ForgetMoved> {
  const read = prepare<MessageState>(
    database,
    `SELECT ${stateColumns} FROM message_states WHERE queue = ? AND sequence = ? AND claim_id = ?`,
  );
  const moveState = prepare(
    database,
    `UPDATE message_states
        SET queue = ?, sequence = ?, visible_at_ms = ?,
            sent_ms = coalesce(?, sent_ms), receive_count = ?,
            first_received_ms = CASE WHEN ? THEN 0 ELSE first_received_ms END,
            claim_id = '', previous_claim_id = '', claim_counted = 0
      WHERE sequence = ?`,
  );
  const moveBody = prepare(
    database,
    `UPDATE message_bodies
        SET queue = ?, sequence = ?, sent_ms = coalesce(?, sent_ms), place_mac = ?,
            dead_letter_source_arn = ?, message_id = coalesce(?, message_id),
            system_attributes = coalesce(?, system_attributes)
      WHERE sequence = ?`,
  );
  const removeLink = prepare(database, "DELETE FROM message_links WHERE sequence = ?");

  function moveOne(
    from: number,
    to: number,
    nowMs: number,
    message: Moving,
  ): GoneMessage | undefined {
    const state = read.get(from, message.sequence, message.claimId);
    if (state === undefined) return undefined;
    const at = sequence.next();
    const anew = message.newMessageId !== undefined;
    const receiveCount = anew ? 0 : state.receiveCount;
    const sentMs = message.sentMs ?? null;
    moveState.run(to, at, nowMs, sentMs, receiveCount, anew ? 1 : 0, message.sequence);
    const { placeMac, deadLetterSourceArn, newMessageId = null, systemAttributes = null } = message;
    const facts = [placeMac, deadLetterSourceArn, newMessageId, systemAttributes];
    moveBody.run(to, at, sentMs, ...facts, message.sequence);
    const there = { ...state, visibleAtMs: nowMs, receiveCount };
    tallies.note(from, state, -1);
    tallies.note(to, there, 1);
    groups.added(to, there, at);
    return { sequence: message.sequence, state };
  }

  const progress = progressActs(database);
  return {
    "sqs.move": (command) => {
      const { from, to, nowMs, taskId } = command;
      // Data keys lie under account and region of the queue.
      const together = from.accountId === to.accountId && from.region === to.region;
      assert(together, "messages move inside one account and region");
      const [source, target] = [numbers.find(from), numbers.of(to)];
      const gone = command.messages.flatMap(
        (message) => moveOne(source, target, nowMs, message) ?? [],
      );
      groups.removed(source, gone);
      for (const { sequence: old } of gone) removeLink.run(old);
      if (taskId !== undefined) progress.add(to, taskId, gone.length);
      return { moved: gone.length };
    },
    ...progress.acts,
  };
}

/** How far move tasks have come, in the same act as each move. */
function progressActs(database: DatabaseSync) {
  const add = prepare(
    database,
    `INSERT INTO moved_counts VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET moved = moved + excluded.moved`,
  );
  const get = prepare<{ moved: number }>(
    database,
    "SELECT moved FROM moved_counts WHERE account_id = ? AND region = ? AND task_id = ?",
  );
  const forget = prepare(
    database,
    "DELETE FROM moved_counts WHERE account_id = ? AND region = ? AND task_id = ?",
  );
  const acts: Acts<CountMoved | ForgetMoved> = {
    "sqs.moved": ({ accountId, region, taskId }) => get.get(accountId, region, taskId)?.moved ?? 0,
    "sqs.forget-moved": ({ accountId, region, taskIds }) => {
      for (const taskId of taskIds) forget.run(accountId, region, taskId);
      return undefined;
    },
  };
  return {
    add: ({ accountId, region }: MoveMessages["to"], taskId: string, moved: number) =>
      add.run(accountId, region, taskId, moved),
    acts,
  };
}
