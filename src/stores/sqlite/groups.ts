import type { DatabaseSync } from "node:sqlite";
import { prepare } from "./act.ts";
import { createGroupOrder } from "./group-order.ts";
import { lanes, type MessageState } from "./lanes.ts";

/**
 * For each message group the message that comes next, and from when. In a FIFO queue that is the
 * oldest one, whether hidden or not: while it is hidden, nothing else of the group is received. In
 * a standard queue it is the one that becomes visible first.
 */
export interface Groups {
  /** A message was added at this place. */
  added(queue: number, state: MessageState, sequence: number): void;
  /** Messages of these states changed their visibility; each group is looked at once. */
  changed(queue: number, states: readonly MessageState[]): void;
  /** Messages went, when they were in these states. */
  removed(queue: number, gone: readonly GoneMessage[]): void;
  /** Up to `limit` groups that can be received at `nowMs`, in that order, after one of them. */
  ready(queue: number, nowMs: number, after: GroupHead | undefined, limit: number): GroupHead[];
  /** FIFO: the one after this in its group; 0: none. */
  next(sequence: number): number;
  /** When the group can be received; undefined: it has no messages. */
  readyAt(queue: number, groupId: string): number | undefined;
}

export interface GoneMessage {
  readonly sequence: number;
  readonly state: MessageState;
}

export interface GroupHead {
  readonly groupId: string;
  readonly sequence: number;
  readonly readyAtMs: number;
}

type Head = Pick<GroupHead, "sequence" | "readyAtMs">;

export function createGroups(database: DatabaseSync): Groups {
  const order = createGroupOrder(database);
  const heads = createHeads(database);
  const putSooner = prepare(
    database,
    `INSERT INTO message_groups VALUES (?, ?, ?, 0, ?) ON CONFLICT DO UPDATE
        SET head_sequence = excluded.head_sequence, ready_at_ms = excluded.ready_at_ms
      WHERE excluded.ready_at_ms < ready_at_ms`,
  );
  const ready = prepare<GroupHead>(
    database,
    `SELECT group_id AS groupId, head_sequence AS sequence, ready_at_ms AS readyAtMs
       FROM message_groups INDEXED BY message_groups_by_readiness
      WHERE queue = ? AND ready_at_ms <= ? AND (ready_at_ms, head_sequence) > (?, ?)
      ORDER BY ready_at_ms, head_sequence LIMIT ?`,
  );
  const readyAt = prepare<{ readyAtMs: number }>(
    database,
    "SELECT ready_at_ms AS readyAtMs FROM message_groups WHERE queue = ? AND group_id = ?",
  );

  return {
    added(queue, { lane, groupId, visibleAtMs }, sequence) {
      if (lane === lanes.fifo) order.append(queue, groupId, sequence, visibleAtMs);
      else if (lane === lanes.tenant) putSooner.run(queue, groupId, sequence, visibleAtMs);
    },
    changed(queue, states) {
      for (const [groupId, lane] of new Map(states.map((it) => [it.groupId, it.lane]))) {
        if (lane !== lanes.plain) heads.put(queue, groupId, heads.find(queue, groupId, lane));
      }
    },
    removed(queue, gone) {
      const byGroup = Map.groupBy(gone, ({ state }) => state.groupId);
      for (const [groupId, messages] of byGroup) {
        const lane = messages[0]?.state.lane;
        if (lane === lanes.tenant) {
          heads.put(queue, groupId, heads.find(queue, groupId, lane));
        } else if (lane === lanes.fifo) {
          const sequences = messages.map(({ sequence }) => sequence);
          heads.put(queue, groupId, heads.at(order.remove(queue, groupId, sequences)));
        }
      }
    },
    ready: (queue, nowMs, after, limit) =>
      ready.all(queue, nowMs, after?.readyAtMs ?? 0, after?.sequence ?? 0, limit),
    next: order.next,
    readyAt: (queue, groupId) => readyAt.get(queue, groupId)?.readyAtMs,
  };
}

function createHeads(database: DatabaseSync) {
  const ofTenant = prepare<Head>(
    database,
    `SELECT sequence, visible_at_ms AS readyAtMs
       FROM message_states INDEXED BY message_states_by_tenant
      WHERE queue = ? AND lane = 1 AND group_id = ? ORDER BY visible_at_ms, sequence LIMIT 1`,
  );
  const ofFifo = prepare<{ sequence: number }>(
    database,
    "SELECT head_sequence AS sequence FROM message_groups WHERE queue = ? AND group_id = ?",
  );
  const at = prepare<Head>(
    database,
    `SELECT body.sequence, coalesce(visible_at_ms, body.sent_ms) AS readyAtMs
       FROM message_bodies AS body LEFT JOIN message_states USING (sequence)
      WHERE body.sequence = ?`,
  );
  const put = prepare(
    database,
    `INSERT INTO message_groups VALUES (?1, ?2, ?3, 0, ?4) ON CONFLICT DO UPDATE
        SET head_sequence = ?3, ready_at_ms = ?4 WHERE head_sequence <> ?3 OR ready_at_ms <> ?4`,
  );
  const remove = prepare(database, "DELETE FROM message_groups WHERE queue = ? AND group_id = ?");
  return {
    at: (sequence: number) => at.get(sequence),
    find(queue: number, groupId: string, lane: number): Head | undefined {
      if (lane === lanes.tenant) return ofTenant.get(queue, groupId);
      const head = ofFifo.get(queue, groupId);
      return head && at.get(head.sequence);
    },
    /** Without a head the group is over. */
    put(queue: number, groupId: string, head: Head | undefined): void {
      if (head) put.run(queue, groupId, head.sequence, head.readyAtMs);
      else remove.run(queue, groupId);
    },
  };
}
