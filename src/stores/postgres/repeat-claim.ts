import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { type Attempt, rememberAttempt } from "./attempts.ts";
import type { Claimed } from "./claim-rows.ts";
import { integers } from "./columns.ts";
import { lockGroupsOf, settleHeads } from "./groups.ts";
import type { Session } from "./session.ts";

/**
 * Answers the claim made under the same attempt id once more; undefined: one of its messages was
 * deleted or changed since.
 */
export async function repeatClaim(
  session: Session,
  queue: number,
  command: ClaimMessages,
  attempt: Attempt,
): Promise<(Claimed & { readonly repeatedClaimId: string }) | undefined> {
  const places = attempt.sequences.map((sequence) => ({ queue, sequence }));
  const groups = await lockGroupsOf(session, places);
  const rows = await session.all<ClaimedMessage>(
    `UPDATE messages SET visible_at_ms = $4::int8
       FROM message_bodies AS body
      WHERE messages.queue = $1::int8 AND messages.sequence = ANY($5::int8[])
        AND messages.claim_id = $2::text AND messages.visible_at_ms = $3::int8
        AND body.queue = $1::int8 AND body.sequence = messages.sequence
        AND $6::int8 = (SELECT count(*) FROM messages AS held
              WHERE held.queue = $1::int8 AND held.sequence = ANY($5::int8[])
                AND held.claim_id = $2::text AND held.visible_at_ms = $3::int8)
      RETURNING messages.sequence, message_id AS "messageId", data_key_id AS "dataKeyId", bytes,
        place_mac AS "placeMac", attributes, system_attributes AS "systemAttributes",
        sender_id AS "senderId", messages.sent_ms AS "sentMs",
        first_received_ms AS "firstReceivedMs", receive_count AS "receiveCount",
        $3::int8 AS "visibleAtMs", dead_letter_source_arn AS "deadLetterSourceArn",
        group_id AS "groupId"`,
    queue,
    attempt.claimId,
    attempt.visibleAtMs,
    command.visibleAgainMs,
    integers(attempt.sequences),
    attempt.sequences.length,
  );
  if (rows.length !== attempt.sequences.length) return undefined;
  await settleHeads(session, groups);
  const bySequence = new Map(rows.map((row) => [row.sequence, row]));
  const messages = attempt.sequences.flatMap((sequence) => bySequence.get(sequence) ?? []);
  const { claimId } = attempt;
  await rememberAttempt(session, queue, command, claimId, messages);
  return { messages, exhausted: [], repeatedClaimId: claimId };
}
