import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { integers } from "./columns.ts";
import type { Session } from "./session.ts";

export interface Claimed {
  readonly messages: readonly ClaimedMessage[];
  readonly exhausted: readonly ClaimedMessage[];
}

/** A message as a claim chooses it, before its body is read. */
export interface Choice {
  readonly sequence: number;
  readonly visibleAtMs: number;
}

/**
 * A message that is to go to the dead-letter queue stays hidden at least this long, so that the
 * caller's move finds it unclaimed by others even where a receive asks for no visibility timeout.
 */
const exhaustedHoldMs = 30_000;

/** Exhausted messages that one claim takes out of the way at most. */
export const exhaustedMax = 100;

/** A receive count that no message reaches. */
const noLimit = 2_000_000_000;

/** A claimed message, with whether it counts or is exhausted. */
export type Taken = ClaimedMessage & { readonly counted: boolean };

/**
 * Claims the messages of `chosen` (columns `sequence`, `was_visible_ms`; parameters up to $6 are
 * the queue and what `claimValues` answers, in that order) and answers them whole.
 */
export const takeChosen = `
  taken AS (
    UPDATE messages
       SET visible_at_ms = CASE WHEN receive_count < $5::int4 THEN $3::int8
                           ELSE greatest($3::int8, $2::int8 + ${exhaustedHoldMs}) END,
           claim_counted = receive_count < $5::int4,
           receive_count = receive_count + (receive_count < $5::int4)::int4,
           first_received_ms = CASE receive_count WHEN 0 THEN $2::int8 ELSE first_received_ms END,
           previous_claim_id = claim_id, claim_id = $4::text, claimed_ms = $2::int8
      FROM chosen
     WHERE messages.queue = $1::int8 AND messages.sequence = chosen.sequence
     RETURNING messages.sequence, messages.sent_ms, first_received_ms, receive_count,
               was_visible_ms, group_id, claim_counted)
  SELECT taken.sequence, message_id AS "messageId", data_key_id AS "dataKeyId", bytes,
         place_mac AS "placeMac", attributes, system_attributes AS "systemAttributes",
         sender_id AS "senderId", taken.sent_ms AS "sentMs",
         first_received_ms AS "firstReceivedMs", receive_count AS "receiveCount",
         was_visible_ms AS "visibleAtMs", dead_letter_source_arn AS "deadLetterSourceArn",
         group_id AS "groupId", claim_counted AS counted
    FROM taken JOIN message_bodies AS body
      ON body.queue = $1::int8 AND body.sequence = taken.sequence`;

/** $1 to $5 of a statement with `takeChosen`. */
export function claimValues(queue: number, command: ClaimMessages) {
  const { nowMs, visibleAgainMs, claimId, receiveCountMax = noLimit } = command;
  return [queue, nowMs, visibleAgainMs, claimId, receiveCountMax] as const;
}

/** Claims messages that were chosen already; answered in the order in which they are named. */
export async function takeThese(
  session: Session,
  queue: number,
  command: ClaimMessages,
  choices: readonly Choice[],
): Promise<readonly Taken[]> {
  if (choices.length === 0) return [];
  const rows = await session.all<Taken>(
    `WITH chosen AS MATERIALIZED (
       SELECT sequence, visible_at_ms AS was_visible_ms FROM messages
        WHERE queue = $1::int8 AND sequence = ANY($6::int8[])
          AND visible_at_ms <= $2::int8
        ORDER BY sequence FOR UPDATE SKIP LOCKED), ${takeChosen}`,
    ...claimValues(queue, command),
    integers(choices.map(({ sequence }) => sequence)),
  );
  const bySequence = new Map(rows.map((row) => [row.sequence, row]));
  return choices.flatMap(({ sequence }) => bySequence.get(sequence) ?? []);
}

/** Parts what was taken into what is handed out and what goes to the dead-letter queue. */
export function partition(taken: readonly Taken[]): {
  messages: ClaimedMessage[];
  exhausted: ClaimedMessage[];
} {
  const messages: ClaimedMessage[] = [];
  const exhausted: ClaimedMessage[] = [];
  for (const { counted, ...message } of taken) (counted ? messages : exhausted).push(message);
  return { messages, exhausted };
}
