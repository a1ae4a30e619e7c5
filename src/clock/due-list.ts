import type { EpochMs } from "../kernel/clock.ts";

export interface Due {
  readonly atMs: EpochMs;
  readonly run: () => void | Promise<void>;
}

/** What is to run, in order of time; entries of one time stay in the order they were added. */
export interface DueList {
  /** The answer takes the entry out again. */
  add(due: Due): () => void;
  /** The earliest entry. */
  first(): Due | undefined;
  /** Takes out the earliest entry if it is due at `nowMs`. */
  takeDue(nowMs: EpochMs): Due | undefined;
}

interface Entry {
  readonly due: Due;
  readonly order: number;
  cancelled: boolean;
}

/** A binary heap; cancelled entries leave it when they come up. */
export function dueList(): DueList {
  const heap: Entry[] = [];
  let orderNext = 0;

  function first(): Entry | undefined {
    while (heap[0]?.cancelled) takeTop(heap);
    return heap[0];
  }

  return {
    add(due) {
      const entry: Entry = { due, order: orderNext++, cancelled: false };
      push(heap, entry);
      return () => {
        entry.cancelled = true;
      };
    },
    first: () => first()?.due,
    takeDue(nowMs) {
      const entry = first();
      if (entry === undefined || entry.due.atMs > nowMs) return undefined;
      takeTop(heap);
      return entry.due;
    },
  };
}

function before(a: Entry, b: Entry): boolean {
  return a.due.atMs < b.due.atMs || (a.due.atMs === b.due.atMs && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || !before(entry, parent)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = entry;
}

function takeTop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    const right = heap[2 * index + 2];
    if (left === undefined) break;
    const useRight = right !== undefined && before(right, left);
    const child = useRight ? right : left;
    if (!before(child, last)) break;
    heap[index] = child;
    index = 2 * index + (useRight ? 2 : 1);
  }
  heap[index] = last;
}
