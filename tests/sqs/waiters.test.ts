import assert from "node:assert/strict";
import { test } from "node:test";
import type { Query, ResultOf } from "../../src/kernel/command.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { createWaiters, type Poller, type Waiters } from "../../src/services/sqs/waiters.ts";
import { type HandClock, handClock } from "./hand-clock.ts";

// Goal: long polls are woken by every arrival, in order, and by no more than there is to receive.
// Method: the real waiters over a clock that moves by hand and a store that answers one question.

const queue = { accountId: "123456789012", region: "us-east-1", queueId: "a".repeat(32) };

interface Scene {
  readonly waiters: Waiters;
  readonly clock: HandClock;
  readonly systemClock: HandClock;
  /** Times at which messages become visible, as the store knows them. */
  readonly visibleAtMs: number[];
  readonly asked: number[];
}

function scene(): Scene {
  const clock = handClock();
  const systemClock = handClock();
  const visibleAtMs: number[] = [];
  const asked: number[] = [];
  const store = {
    async query<Q extends Query>(query: Q): Promise<ResultOf<Q>> {
      const { nowMs } = query as unknown as { readonly nowMs: number };
      asked.push(nowMs);
      const next = visibleAtMs.filter((atMs) => atMs > nowMs).sort((a, b) => a - b)[0];
      return next as ResultOf<Q>;
    },
  };
  const waiters = createWaiters({ store, clock, systemClock, log: silentLog });
  return { waiters, clock, systemClock, visibleAtMs, asked };
}

/** Lets promises that are settled run on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function waiting({ clock, systemClock }: Scene, poller: Poller, signal?: AbortSignal) {
  const state: { woken: boolean | undefined } = { woken: undefined };
  const untilMs = systemClock.now() + 20_000;
  const never = new AbortController().signal;
  const done = poller.wait(clock.now(), untilMs, signal ?? never).then((woken) => {
    state.woken = woken;
  });
  return { state, done };
}

test("an arrival wakes as many as there are messages, the longest waiting first", async () => {
  const here = scene();
  const polls = [1, 2, 3].map(() => waiting(here, here.waiters.join(queue)));
  await settle();
  here.waiters.wake(queue.queueId, 2);
  await settle();
  assert.deepEqual(
    polls.map(({ state }) => state.woken),
    [true, true, undefined],
  );
});

test("what arrives while a consumer looks is not missed; without an arrival it waits", async () => {
  const here = scene();
  const poller = here.waiters.join(queue);
  here.waiters.wake(queue.queueId, 1);
  const first = waiting(here, poller);
  await settle();
  assert.equal(first.state.woken, true);
  poller.looked(false);
  const second = waiting(here, poller);
  await settle();
  assert.equal(second.state.woken, undefined, "one arrival is one look");
});

test("a full look hands on, an empty one does not", async () => {
  const here = scene();
  const first = here.waiters.join(queue);
  const one = waiting(here, first);
  const two = waiting(here, here.waiters.join(queue));
  here.waiters.wake(queue.queueId, 1);
  await one.done;
  first.looked(false);
  await settle();
  assert.equal(two.state.woken, undefined);
  first.looked(true);
  await two.done;
  assert.equal(two.state.woken, true);
});

test("a wake that its consumer did not use goes to the next", async () => {
  const here = scene();
  const gone = here.waiters.join(queue);
  const first = waiting(here, gone);
  const next = waiting(here, here.waiters.join(queue));
  here.waiters.wake(queue.queueId, 1);
  await first.done;
  gone.leave();
  await next.done;
  assert.equal(next.state.woken, true);
});

test("its time and its client end a wait", async () => {
  const here = scene();
  const timed = waiting(here, here.waiters.join(queue));
  const client = new AbortController();
  const left = waiting(here, here.waiters.join(queue), client.signal);
  client.abort();
  await left.done;
  assert.equal(left.state.woken, false);
  assert.equal(timed.state.woken, undefined);
  await here.systemClock.advance(20_000);
  await timed.done;
  assert.equal(timed.state.woken, false);
  assert.equal(here.systemClock.armed.size, 0, "nothing is left armed");
});

test("a message that becomes visible wakes, by one question and one timer per queue", async () => {
  const here = scene();
  const startMs = here.clock.now();
  here.visibleAtMs.push(startMs + 5_000, startMs + 9_000);
  const polls = Array.from({ length: 50 }, () => waiting(here, here.waiters.join(queue)));
  await settle();
  assert.equal(here.asked.length, 1);
  assert.equal(here.clock.armed.size, 1);
  await here.clock.advance(4_999);
  await settle();
  assert.equal(polls.filter(({ state }) => state.woken).length, 0);
  await here.clock.advance(10_000);
  await settle();
  assert.equal(polls.filter(({ state }) => state.woken).length, 2);
});

test("a visibility between the look and the question is not missed", async () => {
  const here = scene();
  const lookedAtMs = here.clock.now();
  here.visibleAtMs.push(lookedAtMs + 1);
  await here.clock.advance(10);
  const poller = here.waiters.join(queue);
  const never = new AbortController().signal;
  const done = poller.wait(lookedAtMs, here.systemClock.now() + 20_000, never);
  await settle();
  await here.clock.advance(0);
  assert.equal(await done, true);
});

test("an earlier visibility that is announced replaces the timer", async () => {
  const here = scene();
  here.visibleAtMs.push(here.clock.now() + 60_000);
  const poll = waiting(here, here.waiters.join(queue));
  await settle();
  here.waiters.due(queue.queueId, here.clock.now() + 1_000);
  assert.equal(here.clock.armed.size, 1);
  await here.clock.advance(1_000);
  await poll.done;
  assert.equal(poll.state.woken, true);
});

test("the end of a queue's life makes all look again, and the last leaves nothing", async () => {
  const here = scene();
  here.visibleAtMs.push(here.clock.now() + 60_000);
  const pollers = [1, 2, 3].map(() => here.waiters.join(queue));
  const polls = pollers.map((poller) => waiting(here, poller));
  await settle();
  here.waiters.wakeAll(queue.queueId);
  await Promise.all(polls.map(({ done }) => done));
  assert.ok(polls.every(({ state }) => state.woken));
  for (const poller of pollers) {
    poller.looked(false);
    poller.leave();
  }
  assert.equal(here.clock.armed.size, 0);
  assert.equal(here.systemClock.armed.size, 0);
});

test("ten thousand wait with one timer of their queue, and one arrival wakes one", async () => {
  const here = scene();
  here.visibleAtMs.push(here.clock.now() + 60_000);
  const polls = Array.from({ length: 10_000 }, () => waiting(here, here.waiters.join(queue)));
  await settle();
  assert.equal(here.asked.length, 1);
  assert.equal(here.clock.armed.size, 1);
  here.waiters.wake(queue.queueId, 1);
  await settle();
  assert.equal(polls.filter(({ state }) => state.woken).length, 1);
  assert.equal(polls[0]?.state.woken, true);
});

test("10,000 that wait cost one look each and one timer of the queue; one message wakes one", async () => {
  const here = scene();
  const all = Array.from({ length: 10_000 }, () => waiting(here, here.waiters.join(queue)));
  await settle();
  const armed = here.clock.armed.size;
  assert.ok(armed <= 1, `${armed} timers of the service clock`);
  assert.equal(here.asked.length, 1, "one question to the store");
  for (let message = 0; message < 3; message++) here.waiters.wake(queue.queueId, 1);
  await settle();
  assert.equal(all.filter(({ state }) => state.woken).length, 3);
  assert.ok(
    all.slice(0, 3).every(({ state }) => state.woken),
    "in the order of their coming",
  );
  // The twin: a queue that ended wakes them all.
  here.waiters.wakeAll(queue.queueId);
  await settle();
  assert.equal(all.filter(({ state }) => state.woken).length, 10_000);
});
