import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { dueList } from "../../src/clock/due-list.ts";
import { systemClock } from "../../src/clock/system.ts";
import { type VirtualClockOptions, virtualClock } from "../../src/clock/virtual.ts";
import { signalled } from "./support.ts";

// Goal: an advance runs what became due, in order and awaited, and time never goes back.
// Method: a virtual clock over a machine's time that stands still.

function standing(t: TestContext, options: Partial<VirtualClockOptions> = {}) {
  const saved: number[] = [];
  const errors: unknown[] = [];
  const clock = virtualClock({
    systemNow: () => 1_000,
    offsetMs: 0,
    saveOffset: (offset) => void saved.push(offset),
    onError: (error) => void errors.push(error),
    ...options,
  });
  t.after(() => clock.close());
  return { clock, saved, errors };
}

test("an advance runs callbacks in order of time, each at its own time, and awaits them", async (t) => {
  const { clock, saved } = standing(t);
  const log: string[] = [];
  const note = (name: string) => async () => {
    await Promise.resolve();
    log.push(`${name}@${clock.now()}`);
  };
  clock.at(1_300, note("c"));
  clock.at(1_100, note("a"));
  clock.at(1_200, note("b"));
  clock.at(1_200, note("b2"));
  clock.at(1_401, note("later"));
  clock.at(1_250, () => void clock.at(1_260, note("made on the way")));
  await clock.advance(400);
  const expected = ["a@1100", "b@1200", "b2@1200", "made on the way@1260", "c@1300"];
  assert.deepEqual(log, expected);
  assert.equal(clock.now(), 1_400);
  // Durable before the first callback ran: a crash on the way never goes back in time.
  assert.deepEqual(saved, [400]);
  await clock.advance(1);
  assert.equal(log.at(-1), "later@1401");
});

test("a cancelled callback does not run, also when another cancels it on the way", async (t) => {
  const { clock } = standing(t);
  const ran: string[] = [];
  clock.at(1_010, () => void ran.push("cancelled before"))();
  let cancel = (): void => {};
  clock.at(1_020, () => cancel());
  cancel = clock.at(1_020, () => void ran.push("cancelled on the way"));
  clock.at(1_030, () => void ran.push("kept"));
  await clock.advance(100);
  assert.deepEqual(ran, ["kept"]);
});

test("advances wait for one another, and one failing callback stops nothing", async (t) => {
  const { clock, errors } = standing(t);
  const hold = signalled();
  const log: number[] = [];
  clock.at(1_010, () => hold.promise);
  clock.at(1_010, () => {
    throw new Error("broken");
  });
  clock.at(1_020, () => void log.push(clock.now()));
  const both = Promise.all([clock.advance(10), clock.advance(10)]);
  hold.resolve();
  await both;
  assert.deepEqual(log, [1_020]);
  assert.equal(clock.now(), 1_020);
  assert.equal(errors.length, 1);
});

test("ten years of a job that runs each second come to an end", async (t) => {
  const { clock } = standing(t, { stepsMax: 100 });
  let runs = 0;
  const again = (): void => {
    runs++;
    clock.at(clock.now() + 1_000, again);
  };
  clock.at(2_000, again);
  const years = 10 * 365 * 86_400_000;
  await clock.advance(years);
  assert.equal(clock.now(), 1_000 + years);
  assert.equal(runs, 101, "a hundred steps, then once at the time of arrival");
});

test("steps that make no sense are refused", async (t) => {
  const { clock } = standing(t);
  for (const step of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15]) {
    await assert.rejects(clock.advance(step), Error, String(step));
  }
  assert.equal(clock.now(), 1_000);
});

test("between advances a virtual clock runs by itself; a past time is due at once", async (t) => {
  const clock = virtualClock({
    systemNow: () => Date.now(),
    offsetMs: 5_000,
    saveOffset: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  t.after(() => clock.close());
  assert.ok(clock.now() >= Date.now() + 4_000);
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  for (const atMs of [0, clock.now() + 5]) {
    await new Promise<void>((resolve) => clock.at(atMs, resolve));
    assert.ok(clock.now() >= atMs);
  }
});

test("the system clock runs, cancels and reports errors", async (t) => {
  const failure = signalled<unknown>();
  const clock = systemClock(failure.resolve);
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const far = clock.at(Date.now() + 100 * 365 * 86_400_000, () => assert.fail("a century early"));
  const cancel = clock.at(0, () => assert.fail("cancelled"));
  cancel();
  const atMs = Date.now() + 3;
  await new Promise<void>((resolve) => clock.at(atMs, resolve));
  assert.ok(Date.now() >= atMs);
  clock.at(0, async () => {
    throw new Error("told");
  });
  assert.match(String(await failure.promise), /told/);
  far();
});

test("a due list gives entries in order of time, then of arrival", () => {
  const entries = fc.array(fc.record({ atMs: fc.nat(20), cancelled: fc.boolean() }));
  fc.assert(
    fc.property(entries, (given) => {
      const list = dueList();
      const expected = given
        .map(({ atMs, cancelled }, index) => ({ atMs, cancelled, index }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.atMs - b.atMs || a.index - b.index)
        .map(({ index }) => index);
      const taken: number[] = [];
      const cancels = given.map(({ atMs }, index) =>
        list.add({ atMs, run: () => void taken.push(index) }),
      );
      for (const [index, { cancelled }] of given.entries()) if (cancelled) cancels[index]?.();
      for (let due = list.takeDue(20); due; due = list.takeDue(20)) void due.run();
      assert.deepEqual(taken, expected);
    }),
  );
});
