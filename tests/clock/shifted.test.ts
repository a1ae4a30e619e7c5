// Goal: the service time of a shared store is whole milliseconds, follows the database's, and does
// not follow the host's clock when somebody sets it. Method: the clocks alone, with an offset that
// the test changes; the twin runs beside a clock that is set, and stands still for as long.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { shiftedClock } from "../../src/clock/shifted.ts";
import { steadyClock, steadyNow } from "../../src/clock/system.ts";
import type { Clock } from "../../src/kernel/clock.ts";

const never = () => () => {};
const hourMs = 3_600_000;

test("it is ahead by the offset, in whole milliseconds, and never goes back", () => {
  const host = { nowMs: 1_000, offsetMs: 500 };
  const clock = shiftedClock({ now: () => host.nowMs, at: never }, () => host.offsetMs);
  const seen = [clock.now()];
  host.offsetMs = 400;
  seen.push(clock.now());
  host.nowMs += 250;
  seen.push(clock.now());
  deepEqual(seen, [1_500, 1_500, 1_650]);
  equal(Number.isSafeInteger(steadyNow()), true);
});

test("a host whose clock is set goes on with the database's time", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const set = (ms: number) => t.mock.timers.setTime(Date.now() + ms);
  const steady = shiftedClock(steadyClock(never()), () => 0);
  const beside: Clock = { now: () => Date.now(), at: never };
  const twin = shiftedClock(beside, () => 0);
  const begun = { steadyMs: steady.now(), twinMs: twin.now() };
  set(hourMs);
  equal(steady.now() - begun.steadyMs < 60_000, true);
  equal(twin.now() - begun.twinMs >= hourMs, true);
});
