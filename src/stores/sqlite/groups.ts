import type { DatabaseSync } from "node:sqlite";
import type { QueueIdentity } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import { lanes, type MessageState } from "./lanes.ts";

/**
 * For each message group the message that comes next, and from when. In a FIFO queue that is the
 * oldest one, whether hidden or not: while it is hidden, nothing else of the group is received. In
 * a standard queue it is the one that becomes visible first.
 */
export interface Groups {
  /** A message was added at this place. */
  added(queue: QueueIdentity, state: MessageState, sequence: number): void;
  /** Messages of these states changed or went; each group is looked at once. */
  changed(queue: QueueIdentity, states: readonly MessageState[]): void;
  /** Up to `limit` groups that can be received at `nowMs`, in that order, after one of them. */
  ready(
    queue: QueueIdentity,
    nowMs: number,
    after: GroupHead | undefined,
    limit: number,
  ): GroupHead[];
  /** When the group can be received; undefined: it has no messages. */
  readyAt(queue: QueueIdentity, groupId: string): number | undefined;
}

export interface GroupHead {
  readonly groupId: string;
  readonly sequence: number;
  readonly readyAtMs: number;
}

type Head = Pick<GroupHead, "sequence" | "readyAtMs">;

export function createGroups(database: DatabaseSync): Groups {
  const of = "account_id = ? AND region = ? AND queue_id = ?";
  const fifoHead = prepare<Head>(
    database,
    `SELECT sequence, visible_at_ms AS readyAtMs FROM messages INDEXED BY messages_by_order
      WHERE ${of} AND lane = 2 AND group_id = ? ORDER BY sequence LIMIT 1`,
  );
  const tenantHead = prepare<Head>(
    database,
    `SELECT sequence, visible_at_ms AS readyAtMs FROM messages INDEXED BY messages_by_tenant
      WHERE ${of} AND lane = 1 AND group_id = ? ORDER BY visible_at_ms, sequence LIMIT 1`,
  );
  const put = prepare(
    database,
    `INSERT INTO message_groups VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET head_sequence = excluded.head_sequence, ready_at_ms = excluded.ready_at_ms
      WHERE head_sequence <> excluded.head_sequence OR ready_at_ms <> excluded.ready_at_ms`,
  );
  const putFirst = prepare(
    database,
    "INSERT INTO message_groups VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const putSooner = prepare(
    database,
    `INSERT INTO message_groups VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET head_sequence = excluded.head_sequence, ready_at_ms = excluded.ready_at_ms
      WHERE excluded.ready_at_ms < ready_at_ms`,
  );
  const remove = prepare(database, `DELETE FROM message_groups WHERE ${of} AND group_id = ?`);
  const ready = prepare<GroupHead>(
    database,
    `SELECT group_id AS groupId, head_sequence AS sequence, ready_at_ms AS readyAtMs
       FROM message_groups INDEXED BY message_groups_by_readiness
      WHERE ${of} AND ready_at_ms <= ? AND (ready_at_ms, head_sequence) > (?, ?)
      ORDER BY ready_at_ms, head_sequence LIMIT ?`,
  );
  const readyAt = prepare<{ readyAtMs: number }>(
    database,
    `SELECT ready_at_ms AS readyAtMs FROM message_groups WHERE ${of} AND group_id = ?`,
  );
  const place = ({ accountId, region, queueId }: QueueIdentity) =>
    [accountId, region, queueId] as const;

  return {
    added(queue, { lane, groupId, visibleAtMs }, sequence) {
      if (lane === lanes.plain) return;
      const statement = lane === lanes.fifo ? putFirst : putSooner;
      statement.run(...place(queue), groupId, sequence, visibleAtMs);
    },
    changed(queue, states) {
      const seen = new Set<string>();
      for (const { lane, groupId } of states) {
        if (lane === lanes.plain || seen.has(groupId)) continue;
        seen.add(groupId);
        const statement = lane === lanes.fifo ? fifoHead : tenantHead;
        const head = statement.get(...place(queue), groupId);
        if (head) put.run(...place(queue), groupId, head.sequence, head.readyAtMs);
        else remove.run(...place(queue), groupId);
      }
    },
    ready: (queue, nowMs, after, limit) =>
      ready.all(...place(queue), nowMs, after?.readyAtMs ?? 0, after?.sequence ?? 0, limit),
    readyAt: (queue, groupId) => readyAt.get(...place(queue), groupId)?.readyAtMs,
  };
}
