import { systemClock } from "../../src/clock/system.ts";
import type { Clock } from "../../src/kernel/clock.ts";

/** The machine's clock with a lead, for what is judged by system time: sessions, signatures. */
export interface MovableClock {
  readonly offsetMs: number;
  move(seconds: number): void;
  /** Timers that were set before a move still ring after the real time. */
  clockOf(onError: (error: unknown) => void): Clock;
}

export function movableClock(): MovableClock {
  let offsetMs = 0;
  return {
    get offsetMs() {
      return offsetMs;
    },
    move(seconds) {
      offsetMs += seconds * 1000;
    },
    clockOf(onError) {
      const real = systemClock(onError);
      return {
        now: () => real.now() + offsetMs,
        at: (atMs, due) => real.at(atMs - offsetMs, due),
      };
    },
  };
}
