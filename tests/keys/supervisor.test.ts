import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import type { Link } from "../../src/keys/link.ts";
import { supervise } from "../../src/keys/supervisor.ts";

/** A link without a process. */
function fakeLink(pid: number): Link & { die(): void; closed: boolean } {
  const { promise: ended, resolve: die } = Promise.withResolvers<void>();
  const request = () => Promise.reject(new Error("not asked here"));
  const link = { pid, helperPipes: [], ended, request, die, closed: false, close: async () => {} };
  link.close = async () => {
    link.closed = true;
    die();
  };
  return link;
}

const unavailable = (error: unknown) =>
  error instanceof Fault && error.kind === "key-process-unavailable";

// Goal: a process that cannot start is tried again after growing, bounded waits, and requests fail
// at once meanwhile. Method: mocked timers; each start fails until the seventh.
test("back-off", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [first, last] = [fakeLink(1), fakeLink(2)];
  let starts = 0;
  const start = async (): Promise<Link> => {
    starts += 1;
    if (starts < 7) throw new Error("no start");
    return last;
  };
  const supervisor = supervise(first, start, silentLog);
  assert.equal(await supervisor.link(), first);
  first.die();
  await turn();
  assert.equal(starts, 1);
  for (const [index, delayMs] of [100, 400, 1600, 5000, 5000, 5000].entries()) {
    await assert.rejects(Promise.resolve(supervisor.link()), unavailable);
    t.mock.timers.tick(delayMs - 1);
    await turn();
    assert.equal(starts, index + 1, `not before ${delayMs} ms`);
    t.mock.timers.tick(1);
    await turn();
    assert.equal(starts, index + 2, `after ${delayMs} ms`);
  }
  assert.equal(await supervisor.link(), last);
  assert.equal(supervisor.pid, 2);
  await supervisor.close();
  assert.ok(last.closed);
});

// Goal: a process that dies young again and again is not restarted in a tight loop; one that lived
// well is replaced at once. Method: mocked timers, deaths before and after 30 s.
test("quick deaths slow down, a settled process starts afresh", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const links = [1, 2, 3, 4].map(fakeLink);
  let starts = 0;
  const next = async (): Promise<Link> => links[++starts] as Link;
  const supervisor = supervise(links[0] as Link, next, silentLog);
  links[0]?.die();
  await turn();
  assert.equal(starts, 1);
  links[1]?.die();
  await turn();
  assert.equal(starts, 1);
  t.mock.timers.tick(100);
  await turn();
  assert.equal(starts, 2);
  t.mock.timers.tick(30_000);
  links[2]?.die();
  await turn();
  assert.equal(starts, 3);
  await supervisor.close();
});

// Goal: closing ends it: no restart, no request. Method: close, while well and between attempts.
test("close", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let starts = 0;
  const start = async (): Promise<Link> => {
    starts += 1;
    throw new Error("no start");
  };
  const well = fakeLink(1);
  const closing = supervise(well, start, silentLog);
  await closing.close();
  await turn();
  assert.equal(starts, 0);
  await assert.rejects(Promise.resolve(closing.link()), unavailable);

  const lost = fakeLink(1);
  const waiting = supervise(lost, start, silentLog);
  lost.die();
  await turn();
  assert.equal(starts, 1);
  await waiting.close();
  t.mock.timers.tick(60_000);
  await turn();
  assert.equal(starts, 1);
});
