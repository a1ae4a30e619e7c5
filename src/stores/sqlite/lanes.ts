/** How messages of a queue are chosen for a receive: each way has its part of the indexes. */
export const lanes = {
  /** Standard queue, no group. */
  plain: 0,
  /** Standard queue, with a group: a tenant of a fair queue. */
  tenant: 1,
  fifo: 2,
} as const;

export type Lane = (typeof lanes)[keyof typeof lanes];

/** What tallies and groups need to know of a message that comes, changes or goes. */
export interface MessageState {
  readonly lane: Lane;
  readonly groupId: string;
  readonly visibleAtMs: number;
  readonly receiveCount: number;
}

/** Columns of `MessageState`. */
export const stateColumns =
  "lane, group_id AS groupId, visible_at_ms AS visibleAtMs, receive_count AS receiveCount";

/** What is counted of a message that has no row of its own: it is visible. */
export function neverHidden(groupId: string): MessageState {
  const lane = groupId === "" ? lanes.plain : lanes.fifo;
  return { lane, groupId, visibleAtMs: 0, receiveCount: 0 };
}

/** The lane of a row `body` of `message_bodies` that has no row in `message_states`. */
export const laneWithoutState = `CASE body.group_id WHEN '' THEN ${lanes.plain} ELSE ${lanes.fifo} END`;
