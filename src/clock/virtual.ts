import type { Clock, EpochMs } from "../kernel/clock.ts";
import { type Due, type DueList, dueList } from "./due-list.ts";
import { runDue, timerDelayMsMax } from "./system.ts";

/** A clock that runs with the machine's, ahead of it by an offset that `advance` enlarges. */
export interface VirtualClock extends Clock {
  offsetMs(): number;
  /**
   * Moves the time forward and runs, in order of time, what became due; each callback is awaited
   * and sees the time it was due at. Advances wait for one another. Throws Error for a negative,
   * fractional or unbounded step.
   */
  advance(milliseconds: number): Promise<void>;
  /** Stops the timer. What is still due never runs. */
  close(): void;
}

export interface VirtualClockOptions {
  /** The machine's time in epoch milliseconds. */
  readonly systemNow: () => EpochMs;
  /** Offset that an earlier run reached. */
  readonly offsetMs: number;
  /** Makes the offset durable. Called before the time moves: a restart never goes back in time. */
  readonly saveOffset: (offsetMs: number) => void;
  readonly onError: (error: unknown) => void;
  /** Hears of each step of the time, and of the offset at the start. */
  readonly moved?: ((offsetMs: number) => void) | undefined;
  /**
   * Callbacks that one advance runs step by step. What is due after them runs once, at the time of
   * arrival: ten years of a job that runs each second must not take ten years.
   */
  readonly stepsMax?: number;
}

/** Last time that a JavaScript Date can hold, less a margin for what is added to it. */
const epochMsMax = 8.64e15 / 2;

export function virtualClock(options: VirtualClockOptions): VirtualClock {
  const due = dueList();
  let offsetMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let advancing: Promise<void> = Promise.resolve();
  let advancesWaiting = 0;
  let closed = false;
  /** Callbacks that the timer started and that have not ended. */
  const running = new Set<Promise<void>>();
  const now = (): EpochMs => options.systemNow() + offsetMs;
  const moveTo = (toMs: number): void => {
    offsetMs = toMs;
    options.moved?.(toMs);
  };
  moveTo(options.offsetMs);

  function schedule(): void {
    clearTimeout(timer);
    const first = due.first();
    // While an advance runs, it alone runs callbacks: order would be lost otherwise.
    if (closed || first === undefined || advancesWaiting > 0) return;
    const delayMs = Math.max(0, Math.min(first.atMs - now(), timerDelayMsMax));
    timer = setTimeout(() => {
      for (const entry of takeAllDue(due, now())) startDue(entry);
      schedule();
    }, delayMs);
    timer.unref();
  }

  function startDue(entry: Due): void {
    const run = runDue(entry.run, options.onError).finally(() => running.delete(run));
    running.add(run);
  }

  async function advanceNow(targetOffsetMs: number): Promise<void> {
    // What the timer began may yet add what is due in the time that passes now.
    await Promise.all(running);
    const stepsMax = options.stepsMax ?? 2000;
    for (let step = 0; step < stepsMax && !closed; step++) {
      const entry = due.takeDue(options.systemNow() + targetOffsetMs);
      if (entry === undefined) break;
      moveTo(Math.min(targetOffsetMs, Math.max(offsetMs, entry.atMs - options.systemNow())));
      await runDue(entry.run, options.onError);
    }
    moveTo(targetOffsetMs);
    for (const entry of takeAllDue(due, now())) {
      if (!closed) await runDue(entry.run, options.onError);
    }
  }

  return {
    now,
    offsetMs: () => offsetMs,
    at(atMs, run) {
      let cancelled = false;
      // An entry may be cancelled by one that became due with it and ran before.
      const cancel = due.add({ atMs, run: () => (cancelled ? undefined : run()) });
      schedule();
      return () => {
        cancelled = true;
        cancel();
      };
    },
    async advance(milliseconds) {
      if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
        throw new Error("a clock advances by a whole number of milliseconds");
      }
      advancesWaiting++;
      // Stops the timer: what it would begin is this advance's to run, and to wait for.
      schedule();
      const turn = advancing.then(async () => {
        if (now() + milliseconds > epochMsMax) throw new Error("a clock cannot advance that far");
        const targetOffsetMs = offsetMs + milliseconds;
        options.saveOffset(targetOffsetMs);
        await advanceNow(targetOffsetMs);
      });
      advancing = turn.catch(() => {});
      try {
        await turn;
      } finally {
        advancesWaiting--;
        schedule();
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function takeAllDue(due: DueList, nowMs: EpochMs) {
  const entries = [];
  for (let entry = due.takeDue(nowMs); entry; entry = due.takeDue(nowMs)) entries.push(entry);
  return entries;
}
