// Goal: when an advance answers, all that became due has been done, also what a callback adds that
// the clock's timer had begun before. Method: the clock alone; a callback held open by the test.
import { deepEqual } from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { virtualClock } from "../../src/clock/virtual.ts";

test("an advance waits for what the timer began, and runs what that adds", async () => {
  const errors: unknown[] = [];
  const clock = virtualClock({
    systemNow: () => 0,
    offsetMs: 0,
    saveOffset: () => {},
    onError: (error) => errors.push(error),
  });
  const done: string[] = [];
  const signals = new EventTarget();
  const begun = once(signals, "begun");
  const release = once(signals, "release");
  clock.at(0, async () => {
    signals.dispatchEvent(new Event("begun"));
    await release;
    done.push("first");
    clock.at(30, () => void done.push("next"));
  });
  // The clock's own timer holds no process open.
  const alive = setInterval(() => {}, 1000);
  await begun;
  const advanced = clock.advance(60).then(() => done.push("advanced"));
  deepEqual(done, []);
  signals.dispatchEvent(new Event("release"));
  await advanced;
  clearInterval(alive);
  clock.close();
  deepEqual([done, errors], [["first", "next", "advanced"], []]);
});
