import type { Clock, EpochMs } from "../../kernel/clock.ts";
import type { Poller, Waiters } from "./waiters.ts";

/** Others, threads or processes, whose consumers wait for what arrives here, and the reverse. */
export interface Arrivals {
  /** A consumer here takes part, before its first look; the answer ends its part. */
  joined(queueId: string): () => void;
  /**
   * Consumers here wait for messages of the queue, at least for some seconds. Absent: no hint gets
   * lost, and `joined` tells enough.
   */
  readonly waited?: (queueId: string) => void;
  arrived(queueId: string, count: number): void;
  dueAt(queueId: string, atMs: EpochMs): void;
  changed(queueId: string): void;
}

/** Hints may be lost, or come before anybody waits: a queue's consumers look this often. */
const lookAgainMs = 1000;

/**
 * Waiters that tell other processes what happens here. What others tell goes to `own`, so that no
 * hint goes round.
 */
export function shareWaiters(own: Waiters, arrivals: Arrivals, systemClock: Clock): Waiters {
  const waiting = new Map<string, { count: number; cancel: () => void }>();

  function lookAgain(queueId: string): () => void {
    return systemClock.at(systemClock.now() + lookAgainMs, () => {
      const state = waiting.get(queueId);
      if (!state) return;
      arrivals.waited?.(queueId);
      own.wake(queueId, 1);
      state.cancel = lookAgain(queueId);
    });
  }

  function begin(queueId: string): void {
    if (!arrivals.waited) return;
    arrivals.waited(queueId);
    const state = waiting.get(queueId);
    if (state) state.count += 1;
    else waiting.set(queueId, { count: 1, cancel: lookAgain(queueId) });
  }

  function end(queueId: string): void {
    const state = waiting.get(queueId);
    if (!state) return;
    state.count -= 1;
    if (state.count > 0) return;
    state.cancel();
    waiting.delete(queueId);
  }

  return {
    join(queue) {
      const poller: Poller = own.join(queue);
      const leave = arrivals.joined(queue.queueId);
      return {
        ...poller,
        leave() {
          leave();
          poller.leave();
        },
        async wait(lookedAtMs, untilMs, signal) {
          begin(queue.queueId);
          try {
            return await poller.wait(lookedAtMs, untilMs, signal);
          } finally {
            end(queue.queueId);
          }
        },
      };
    },
    wake(queueId, count) {
      own.wake(queueId, count);
      arrivals.arrived(queueId, count);
    },
    wakeAll(queueId) {
      own.wakeAll(queueId);
      arrivals.changed(queueId);
    },
    due(queueId, atMs) {
      own.due(queueId, atMs);
      arrivals.dueAt(queueId, atMs);
    },
  };
}
