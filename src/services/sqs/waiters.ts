import type { Clock, EpochMs } from "../../kernel/clock.ts";
import type { Query, ResultOf } from "../../kernel/command.ts";
import type { Log } from "../../kernel/log.ts";
import type { NextVisible, QueueIdentity } from "./store.ts";

/**
 * Consumers that wait for messages, per queue, served in the order in which they began to wait.
 * Each arrival wakes as many as there are messages, no more; a consumer that was busy when
 * something arrived looks again before it waits. Thousands that wait cost a set entry and a timer
 * each.
 */
export interface Waiters {
  /** Takes part before the first look, so that nothing that arrives after it is missed. */
  join(queue: QueueIdentity): Poller;
  /** `count` messages of the queue can be received now. */
  wake(queueId: string, count: number): void;
  /** The queue's life ended, or its delays changed: all look again. */
  wakeAll(queueId: string): void;
  /** A message of the queue becomes visible at `atMs`, service time. */
  due(queueId: string, atMs: EpochMs): void;
}

/** One consumer's part. `leave` must be called in any case. */
export interface Poller {
  /**
   * Waits until there may be something to receive: true. False: `untilMs` (system time) came, or
   * `signal` aborted. `lookedAtMs`: service time of the look that found nothing.
   */
  wait(lookedAtMs: EpochMs, untilMs: EpochMs, signal: AbortSignal): Promise<boolean>;
  /** The look for which this consumer was woken is done; `full`: there may be more for others. */
  looked(full: boolean): void;
  leave(): void;
}

export interface WaitersDependencies {
  readonly store: { query<Q extends Query>(query: Q): Promise<ResultOf<Q>> };
  readonly clock: Clock;
  readonly systemClock: Clock;
  readonly log: Log;
}

interface QueueState {
  readonly queue: QueueIdentity;
  /** Consumers that take part, waiting or looking. */
  pollers: number;
  /** In order of arrival; calling one wakes it. */
  readonly waiting: Set<() => void>;
  /** Wakes owed to consumers that were looking when something arrived. */
  owed: number;
  /** The store was asked for the next visibility; from then on `due` keeps it up to date. */
  asked: boolean;
  timer: { readonly atMs: EpochMs; readonly cancel: () => void } | undefined;
}

export function createWaiters(deps: WaitersDependencies): Waiters {
  const states = new Map<string, QueueState>();
  const ofQueue = (queueId: string, act: (state: QueueState) => void) => {
    const state = states.get(queueId);
    if (state) act(state);
  };
  return {
    join(queue) {
      let state = states.get(queue.queueId);
      if (!state) {
        const waiting = new Set<() => void>();
        state = { queue, pollers: 0, waiting, owed: 0, asked: false, timer: undefined };
        states.set(queue.queueId, state);
      }
      state.pollers++;
      return poller(deps, state, () => states.delete(queue.queueId));
    },
    wake: (queueId, count) => ofQueue(queueId, (state) => wake(state, count)),
    wakeAll: (queueId) =>
      ofQueue(queueId, (state) => {
        // When messages become visible may be another time from now on.
        state.asked = false;
        wake(state, state.pollers);
      }),
    due: (queueId, atMs) => ofQueue(queueId, (state) => schedule(deps, state, atMs)),
  };
}

function poller(deps: WaitersDependencies, state: QueueState, forget: () => void): Poller {
  let woken = false;
  return {
    async wait(lookedAtMs, untilMs, signal) {
      if (signal.aborted) return false;
      if (state.owed > 0) {
        state.owed--;
        woken = true;
        return true;
      }
      // The question to the store runs beside the wait; its answer only sets a timer.
      if (!state.asked) void ask(deps, state, lookedAtMs);
      woken = await waitInLine(deps, state, untilMs, signal);
      return woken;
    },
    looked(full) {
      woken = false;
      if (full) wake(state, 1);
    },
    leave() {
      state.pollers--;
      // A wake that led to no look (the client has gone, the store failed) belongs to the next one.
      if (woken) wake(state, 1);
      if (state.pollers > 0) return;
      state.timer?.cancel();
      forget();
    },
  };
}

function waitInLine(
  deps: WaitersDependencies,
  state: QueueState,
  untilMs: EpochMs,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (woken: boolean) => {
      state.waiting.delete(wakeThis);
      cancelTimeout();
      signal.removeEventListener("abort", giveUp);
      resolve(woken);
    };
    const wakeThis = () => end(true);
    const giveUp = () => end(false);
    const cancelTimeout = deps.systemClock.at(untilMs, giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    state.waiting.add(wakeThis);
  });
}

function wake(state: QueueState, count: number): void {
  let left = count;
  for (const wakeThis of state.waiting) {
    if (left === 0) return;
    left--;
    wakeThis();
  }
  const looking = state.pollers - state.waiting.size;
  state.owed = Math.min(state.owed + left, looking);
}

function schedule(deps: WaitersDependencies, state: QueueState, atMs: EpochMs): void {
  if (state.timer && state.timer.atMs <= atMs) return;
  state.timer?.cancel();
  const cancel = deps.clock.at(atMs, () => {
    state.timer = undefined;
    wake(state, 1);
    // Others may become visible at the same time or later. The clock waits for the answer, so that
    // a virtual clock which jumps over several of them meets each.
    return ask(deps, state, atMs);
  });
  state.timer = { atMs, cancel };
}

/** Sets the timer to the first visibility after `sinceMs`. */
async function ask(deps: WaitersDependencies, state: QueueState, sinceMs: EpochMs): Promise<void> {
  state.asked = true;
  try {
    const query: NextVisible = { kind: "sqs.next-visible", queue: state.queue, nowMs: sinceMs };
    const atMs = await deps.store.query(query);
    if (atMs !== undefined && state.pollers > 0) schedule(deps, state, atMs);
  } catch (error) {
    state.asked = false;
    deps.log.warn("cannot tell when the next message becomes visible", {
      queueId: state.queue.queueId,
      error: String(error),
    });
  }
}
