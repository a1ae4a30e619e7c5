import type { Clock, EpochMs } from "../kernel/clock.ts";

/** Longest wait that a Node timer can hold. */
export const timerDelayMsMax = 2 ** 31 - 1;

/**
 * The machine's clock. Its timers never keep the process alive. `onError` gets what a due callback
 * throws or rejects with.
 */
export function systemClock(onError: (error: unknown) => void): Clock {
  return clockBy(() => Date.now(), onError);
}

/** The time that this process began at, and what has passed since: nobody sets it. */
export function steadyNow(): EpochMs {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** A clock like `systemClock` that does not jump when the machine's is set. */
export function steadyClock(onError: (error: unknown) => void): Clock {
  return clockBy(steadyNow, onError);
}

function clockBy(now: () => EpochMs, onError: (error: unknown) => void): Clock {
  return {
    now,
    at(atMs, due) {
      let timer: NodeJS.Timeout;
      // A timer may fire a little early by this clock, or end at its longest wait: look again.
      const wait = (): void => {
        const delayMs = Math.max(0, Math.min(atMs - now(), timerDelayMsMax));
        timer = setTimeout(() => (now() >= atMs ? void runDue(due, onError) : wait()), delayMs);
        timer.unref();
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}

/** Runs a callback to its end; its failure is reported, never thrown. */
export async function runDue(
  due: () => void | Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    await due();
  } catch (error) {
    onError(error);
  }
}
