import { assert } from "../../kernel/errors.ts";
import type { CountMoved, ForgetMoved, MoveMessages } from "../../services/sqs/store.ts";
import { type Acts, allDone, each, together, type Work } from "./act.ts";
import { blobs, integers, texts } from "./columns.ts";
import { type Group, lockForSend, lockGroupsOf, settleHeads } from "./groups.ts";
import { inOrder } from "./lanes.ts";
import type { Tenants } from "./tenants.ts";

type Moving = MoveMessages["messages"][number];

/**
 * A move gives a message a new place and leaves its envelope. A dead-letter move leaves message id,
 * send time and receive count as well; a move task makes a new message of it. It ends the claim, so
 * a handle of the old queue does not reach it in the new one.
 */
export function moveActs(tenants: Tenants): Acts<MoveMessages | CountMoved | ForgetMoved> {
  return {
    "sqs.move": each(async (work, command) => {
      const { from, to, taskId } = command;
      // Data keys lie under account and region of the queue.
      const together = from.accountId === to.accountId && from.region === to.region;
      assert(together, "messages move inside one account and region");
      const [source, target] = [work.queue(from), work.queue(to)];
      // Into a discarded queue would be a loss: the message stays where it is and comes again.
      if (source === undefined || target === undefined) return { moved: 0 };
      tenants.expect(target);
      const moved = await move(work, source, target, command);
      if (taskId !== undefined) await addMoved(work, to, taskId, moved);
      return { moved };
    }),
    "sqs.moved": together(async (work, { accountId, region, taskId }) => {
      const [row] = await work.all<{ moved: number }>(
        `SELECT moved FROM moved_counts
        WHERE account_id = $1::text AND region = $2::text AND task_id = $3::text`,
        accountId,
        region,
        taskId,
      );
      return row?.moved ?? 0;
    }),
    "sqs.forget-moved": each(async (work, { accountId, region, taskIds }) => {
      await work.run(
        `DELETE FROM moved_counts
        WHERE account_id = $1::text AND region = $2::text AND task_id = ANY($3::text[])`,
        accountId,
        region,
        texts(taskIds),
      );
      return undefined;
    }),
  };
}

async function move(
  work: Work,
  source: number,
  target: number,
  { nowMs, messages }: MoveMessages,
): Promise<number> {
  const places = messages.map(({ sequence }) => ({ queue: source, sequence }));
  const groups = await lockGroupsOf(work, places);
  const arriving = groups.map(({ groupId }): Group => ({ queue: target, groupId }));
  if (arriving.length > 0) await lockForSend(work, arriving);
  const held = await holdClaimed(work, source, messages);
  if (held.length > 0) {
    const numbers = await work.all<{ n: number }>(
      "SELECT nextval('message_sequence') AS n FROM generate_series(1, $1::int8)",
      held.length,
    );
    await rewrite(
      work,
      source,
      target,
      nowMs,
      held.map((message, index) => ({ ...message, to: numbers[index]?.n ?? 0 })),
    );
  }
  await settleHeads(work, [...groups, ...arriving]);
  return held.length;
}

async function holdClaimed(
  work: Work,
  source: number,
  messages: readonly Moving[],
): Promise<readonly Moving[]> {
  const sorted = inOrder(messages.map((message) => ({ queue: source, ...message })));
  const rows = await work.all<{ sequence: number; claimId: string }>(
    `SELECT sequence, claim_id AS "claimId" FROM messages
      WHERE queue = $1::int8 AND sequence = ANY($2::int8[]) ORDER BY sequence FOR UPDATE`,
    source,
    integers(sorted.map(({ sequence }) => sequence)),
  );
  const claims = new Map(rows.map(({ sequence, claimId }) => [sequence, claimId]));
  const taken = new Set<number>();
  return messages.filter(({ sequence, claimId }) => {
    if (claims.get(sequence) !== claimId || taken.has(sequence)) return false;
    taken.add(sequence);
    return true;
  });
}

async function rewrite(
  work: Work,
  source: number,
  target: number,
  nowMs: number,
  held: readonly (Moving & { readonly to: number })[],
): Promise<void> {
  const from = integers(held.map(({ sequence }) => sequence));
  const to = integers(held.map((message) => message.to));
  const sent = integers(held.map(({ sentMs }) => sentMs ?? null));
  const newIds = texts(held.map(({ newMessageId }) => newMessageId ?? null));
  await allDone([
    work.run(
      `UPDATE messages
          SET queue = $2::int8, sequence = moved.there, visible_at_ms = $3::int8,
              sent_ms = coalesce(moved.sent_ms, messages.sent_ms),
              receive_count = CASE WHEN moved.new_id IS NULL THEN receive_count ELSE 0 END,
              first_received_ms = CASE WHEN moved.new_id IS NULL THEN first_received_ms ELSE 0 END,
              claim_id = '', previous_claim_id = '', claim_counted = false
         FROM unnest($4::int8[], $5::int8[], $6::int8[], $7::text[])
           AS moved(here, there, sent_ms, new_id)
        WHERE messages.queue = $1::int8 AND messages.sequence = moved.here`,
      source,
      target,
      nowMs,
      from,
      to,
      sent,
      newIds,
    ),
    work.run(
      `UPDATE message_bodies
          SET queue = $2::int8, sequence = moved.there,
              sent_ms = coalesce(moved.sent_ms, message_bodies.sent_ms),
              place_mac = moved.place_mac, dead_letter_source_arn = moved.source_arn,
              message_id = coalesce(moved.new_id, message_id),
              system_attributes = coalesce(moved.attributes, system_attributes)
         FROM unnest($3::int8[], $4::int8[], $5::int8[], $6::text[], $7::bytea[], $8::text[],
                $9::text[])
           AS moved(here, there, sent_ms, new_id, place_mac, source_arn, attributes)
        WHERE message_bodies.queue = $1::int8 AND message_bodies.sequence = moved.here`,
      source,
      target,
      from,
      to,
      sent,
      newIds,
      blobs(held.map(({ placeMac }) => placeMac)),
      texts(held.map(({ deadLetterSourceArn }) => deadLetterSourceArn)),
      texts(held.map(({ systemAttributes }) => systemAttributes ?? null)),
    ),
  ]);
}

/** How far a move task has come, in the same act as each move. */
async function addMoved(
  work: Work,
  { accountId, region }: MoveMessages["to"],
  taskId: string,
  moved: number,
): Promise<void> {
  await work.run(
    `INSERT INTO moved_counts VALUES ($1::text, $2::text, $3::text, $4::int8)
     ON CONFLICT (account_id, region, task_id) DO UPDATE
        SET moved = moved_counts.moved + excluded.moved`,
    accountId,
    region,
    taskId,
    moved,
  );
}
