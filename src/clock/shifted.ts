import type { Clock } from "../kernel/clock.ts";

/**
 * A clock that runs beside a steady one, ahead of it by an offset that may change a little: the
 * time of a shared database as this machine knows it. It never goes back, so it must never be far
 * ahead either: beside a clock that somebody can set it would stand still for as long.
 */
export function shiftedClock(clock: Clock, offsetMs: () => number): Clock {
  let latestMs = Number.NEGATIVE_INFINITY;
  const now = (): number => {
    latestMs = Math.max(latestMs, clock.now() + offsetMs());
    return latestMs;
  };
  return {
    now,
    at(atMs, due) {
      let cancel = (): void => {};
      const wait = (): void => {
        // The offset may have changed while it waited: it looks again.
        cancel = clock.at(atMs - offsetMs(), () => (now() >= atMs ? due() : wait()));
      };
      wait();
      return () => cancel();
    },
  };
}
