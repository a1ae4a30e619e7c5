import { allDone } from "./act.ts";
import { integers, texts } from "./columns.ts";
import { inOrder, type Place } from "./lanes.ts";
import type { Session } from "./session.ts";

/**
 * For each message group of a FIFO queue the message that comes next, hidden or not, and from when.
 * The row is the group's lock: whoever changes its messages holds it, in all processes.
 */
export interface Group {
  readonly queue: number;
  readonly groupId: string;
}

/** The head of a group whose messages are only just being put in. */
const unknownHead = Number.MAX_SAFE_INTEGER;

const unique = (groups: readonly Group[]): readonly Group[] =>
  [...new Map(groups.map((group) => [`${group.queue}/${group.groupId}`, group])).values()].toSorted(
    (a, b) => a.queue - b.queue || Buffer.compare(Buffer.from(a.groupId), Buffer.from(b.groupId)),
  );

const columnsOf = (groups: readonly Group[]) =>
  [
    integers(groups.map(({ queue }) => queue)),
    texts(groups.map(({ groupId }) => groupId)),
  ] as const;

/** Locks groups, those without messages as well: something will be put in. */
export async function lockForSend(session: Session, groups: readonly Group[]): Promise<void> {
  await session.run(
    `INSERT INTO message_groups
     SELECT queue, group_id, ${unknownHead}, ${unknownHead}
       FROM unnest($1::int8[], $2::text[]) AS sent(queue, group_id)
     ON CONFLICT (queue, group_id) DO UPDATE SET head_sequence = message_groups.head_sequence`,
    ...columnsOf(unique(groups)),
  );
}

/** Locks the groups of messages that lie in FIFO queues, and answers them. */
export async function lockGroupsOf(
  session: Session,
  places: readonly Place[],
): Promise<readonly Group[]> {
  if (places.length === 0) return [];
  const sorted = inOrder(places);
  return session.all<Group>(
    `SELECT held.queue, held.group_id AS "groupId" FROM message_groups AS held
      WHERE (held.queue, held.group_id) IN (
        SELECT messages.queue, messages.group_id
          FROM unnest($1::int8[], $2::int8[]) AS asked(queue, sequence)
          JOIN messages USING (queue, sequence) WHERE lane = 2)
      ORDER BY held.queue, held.group_id FOR UPDATE`,
    integers(sorted.map(({ queue }) => queue)),
    integers(sorted.map(({ sequence }) => sequence)),
  );
}

/** Messages of locked groups came, changed or went: finds their heads anew. */
export async function settleHeads(session: Session, groups: readonly Group[]): Promise<void> {
  if (groups.length === 0) return;
  const columns = columnsOf(unique(groups));
  const heads = `unnest($1::int8[], $2::text[]) AS asked(queue, group_id)
    LEFT JOIN LATERAL (
      SELECT sequence, visible_at_ms FROM messages
       WHERE messages.queue = asked.queue AND messages.group_id = asked.group_id AND lane = 2
       ORDER BY sequence LIMIT 1) AS head ON true`;
  await allDone([
    session.run(
      `UPDATE message_groups AS held
          SET head_sequence = head.sequence, ready_at_ms = head.visible_at_ms
         FROM ${heads}
        WHERE held.queue = asked.queue AND held.group_id = asked.group_id
          AND head.sequence IS NOT NULL
          AND (held.head_sequence <> head.sequence OR held.ready_at_ms <> head.visible_at_ms)`,
      ...columns,
    ),
    session.run(
      `DELETE FROM message_groups AS held USING ${heads}
        WHERE held.queue = asked.queue AND held.group_id = asked.group_id
          AND head.sequence IS NULL`,
      ...columns,
    ),
  ]);
}
