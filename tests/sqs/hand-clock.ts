import type { Clock } from "../../src/kernel/clock.ts";

interface Due {
  readonly atMs: number;
  readonly run: () => void | Promise<void>;
}

export interface HandClock extends Clock {
  /** Moves the time and runs what became due, each awaited, in order of time. */
  advance(ms: number): Promise<void>;
  /** What is still to come. */
  readonly armed: ReadonlySet<Due>;
}

/** A clock that moves only by hand. */
export function handClock(startMs = 1_700_000_000_000): HandClock {
  const armed = new Set<Due>();
  let nowMs = startMs;
  return {
    armed,
    now: () => nowMs,
    at(atMs, run) {
      const due = { atMs, run };
      armed.add(due);
      return () => armed.delete(due);
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const [first] = [...armed].sort((a, b) => a.atMs - b.atMs);
        if (!first || first.atMs > endMs) break;
        armed.delete(first);
        nowMs = Math.max(nowMs, first.atMs);
        await first.run();
      }
      nowMs = endMs;
    },
  };
}
