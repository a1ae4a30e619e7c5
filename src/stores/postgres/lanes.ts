/** How messages of a queue are chosen for a receive: each way has its part of the indexes. */
export const lanes = {
  /** Standard queue, no group. */
  plain: 0,
  /** Standard queue, with a group: a tenant of a fair queue. */
  tenant: 1,
  fifo: 2,
} as const;

/** Where a message lies. */
export interface Place {
  readonly queue: number;
  readonly sequence: number;
}

/** In the one order in which rows are locked: transactions wait for each other in a line. */
export function inOrder<P extends Place>(places: readonly P[]): readonly P[] {
  return places.toSorted((a, b) => a.queue - b.queue || a.sequence - b.sequence);
}

export function placeKey({ queue, sequence }: Place): string {
  return `${queue}/${sequence}`;
}
