import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { StoredDataKey } from "../../kernel/sealed.ts";
import type {
  ChangeVisibility,
  ClaimedMessage,
  ClaimMessages,
  ClaimResult,
  QueueIdentity,
  UnclaimMessages,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

/**
 * A message that is to go to the dead-letter queue stays hidden at least this long, so that the
 * caller's move finds it unclaimed by others even where a receive asks for no visibility timeout.
 */
const exhaustedHoldMs = 30_000;

/** Exhausted messages that one claim takes out of the way at most. */
const exhaustedMax = 100;

/** Claims, and what is done to claimed messages short of deleting or moving them. */
export function claimActs(
  database: DatabaseSync,
  dataKeys: DataKeys,
  tallies: Tallies,
): Acts<ClaimMessages | UnclaimMessages | ChangeVisibility> {
  const claim = createClaim(database, tallies);
  return {
    "sqs.claim": (command) => {
      const { queue, nowMs, inFlightMax } = command;
      const room = inFlightMax - tallies.at(queue, nowMs).inFlight;
      if (room <= 0) return { messages: [], exhausted: [], dataKeys: [], overLimit: true };
      const { messages, exhausted } = claim(command, Math.min(command.count, room));
      const keys = keysOf(queue, [...messages, ...exhausted], dataKeys);
      return { messages, exhausted, dataKeys: keys, overLimit: false };
    },
    "sqs.unclaim": createUnclaim(database, tallies),
    "sqs.visibility": createChangeVisibility(database, tallies),
  };
}

type Claimed = Pick<ClaimResult, "messages" | "exhausted">;

/**
 * Visible messages are a range of the index, so a claim costs the same at any depth; messages
 * beyond retention inside that range are stepped over in the index until the sweep takes them.
 */
function createClaim(
  database: DatabaseSync,
  tallies: Tallies,
): (command: ClaimMessages, count: number) => Claimed {
  const select = prepare<ClaimedMessage>(
    database,
    `SELECT messages.sequence, message_id AS messageId, data_key_id AS dataKeyId, bytes,
            place_mac AS placeMac, attributes, system_attributes AS systemAttributes,
            sender_id AS senderId, sent_ms AS sentMs, first_received_ms AS firstReceivedMs,
            receive_count AS receiveCount, visible_at_ms AS visibleAtMs,
            dead_letter_source_arn AS deadLetterSourceArn
       FROM messages INDEXED BY messages_by_visibility
       CROSS JOIN message_bodies USING (account_id, region, queue_id, sequence)
      WHERE messages.account_id = ? AND messages.region = ? AND messages.queue_id = ?
        AND visible_at_ms <= ? AND sent_ms >= ?
      ORDER BY visible_at_ms, sequence LIMIT ?`,
  );
  const update = prepare(
    database,
    `UPDATE messages
        SET visible_at_ms = ?, receive_count = ?, first_received_ms = ?, claim_id = ?,
            claimed_ms = ?, claim_counted = ?, previous_claim_id = claim_id
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`,
  );

  function take(row: ClaimedMessage, command: ClaimMessages, counted: boolean): ClaimedMessage {
    const { queue, nowMs, visibleAgainMs } = command;
    const again = counted ? visibleAgainMs : Math.max(visibleAgainMs, nowMs + exhaustedHoldMs);
    const receiveCount = row.receiveCount + (counted ? 1 : 0);
    const firstReceivedMs = row.receiveCount === 0 ? nowMs : row.firstReceivedMs;
    const facts = [again, receiveCount, firstReceivedMs, command.claimId, nowMs] as const;
    update.run(...facts, counted ? 1 : 0, ...identity(queue), row.sequence);
    tallies.note(queue, row.visibleAtMs, row.receiveCount, -1);
    tallies.note(queue, again, receiveCount, 1);
    return { ...row, receiveCount, firstReceivedMs };
  }

  return (command, count) => {
    const { queue, nowMs, retainedSinceMs, receiveCountMax = Number.POSITIVE_INFINITY } = command;
    const messages: ClaimedMessage[] = [];
    const exhausted: ClaimedMessage[] = [];
    for (;;) {
      const limit = count - messages.length;
      const rows = select.all(...identity(queue), nowMs, retainedSinceMs, limit);
      const before = exhausted.length;
      for (const row of rows) {
        const counted = row.receiveCount < receiveCountMax;
        (counted ? messages : exhausted).push(take(row, command, counted));
      }
      // Another round only to make up for exhausted ones. Claimed messages that are visible again
      // at once would come back in it, so there is none then.
      const madeUp = messages.length >= count || exhausted.length === before;
      const comesBack = command.visibleAgainMs <= nowMs && messages.length > 0;
      if (madeUp || comesBack || exhausted.length >= exhaustedMax) return { messages, exhausted };
    }
  };
}

function keysOf(
  { accountId, region }: QueueIdentity,
  messages: readonly ClaimedMessage[],
  dataKeys: DataKeys,
): readonly StoredDataKey[] {
  const ids = new Set(messages.map((message) => message.dataKeyId));
  return Array.from(ids, (id) => {
    const key = dataKeys.find(accountId, region, id);
    assert(key, "a foreign key holds the data key of a message");
    return key;
  });
}

interface ClaimState {
  readonly visibleAtMs: number;
  readonly receiveCount: number;
  readonly claimId: string;
  readonly claimedMs: number;
  readonly claimCounted: number;
}

const selectState = `SELECT visible_at_ms AS visibleAtMs, receive_count AS receiveCount,
    claim_id AS claimId, claimed_ms AS claimedMs, claim_counted AS claimCounted
  FROM messages WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`;

function createUnclaim(
  database: DatabaseSync,
  tallies: Tallies,
): (command: UnclaimMessages) => undefined {
  const read = prepare<ClaimState>(database, selectState);
  // The handle of the receive before stays good, as if this claim had never been.
  const update = prepare(
    database,
    `UPDATE messages
        SET visible_at_ms = ?, receive_count = ?, claim_id = previous_claim_id,
            previous_claim_id = '', claim_counted = 0,
            first_received_ms = CASE receive_count - claim_counted WHEN 0 THEN 0
                                ELSE first_received_ms END
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`,
  );
  return ({ queue, messages }) => {
    for (const { sequence, claimId, visibleAtMs } of messages) {
      const place = [...identity(queue), sequence] as const;
      const state = read.get(...place);
      if (state?.claimId !== claimId) continue;
      const receiveCount = state.receiveCount - state.claimCounted;
      update.run(visibleAtMs, receiveCount, ...place);
      tallies.note(queue, state.visibleAtMs, state.receiveCount, -1);
      tallies.note(queue, visibleAtMs, receiveCount, 1);
    }
    return undefined;
  };
}

function createChangeVisibility(
  database: DatabaseSync,
  tallies: Tallies,
): Acts<ChangeVisibility>["sqs.visibility"] {
  const read = prepare<ClaimState>(database, selectState);
  const update = prepare(
    database,
    `UPDATE messages SET visible_at_ms = ?
      WHERE account_id = ? AND region = ? AND queue_id = ? AND sequence = ?`,
  );
  return ({ queue, heldMsMax, changes }) =>
    changes.map(({ sequence, claimId, visibleAtMs }) => {
      const place = [...identity(queue), sequence] as const;
      const state = read.get(...place);
      if (state === undefined) return "absent";
      if (state.claimId !== claimId) return "superseded";
      if (visibleAtMs > state.claimedMs + heldMsMax) return "beyond-limit";
      update.run(visibleAtMs, ...place);
      tallies.note(queue, state.visibleAtMs, state.receiveCount, -1);
      tallies.note(queue, visibleAtMs, state.receiveCount, 1);
      return "changed";
    });
}
