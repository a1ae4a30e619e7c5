// Goal: the messages of a group keep their order whatever leaves from wherever in it, moves away,
// expires or is delayed anew, and a group is received from its first message on only.
// Method: fast-check runs random commands against the store and a plain list per group; every claim
// and the counts must agree. SEALPOST_SEED replays; SEALPOST_TEST_LONG=1 runs more.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Store } from "../../src/kernel/command.ts";
import type { ExpireMessages, MoveMessages, QueueIdentity } from "../../src/services/sqs/store.ts";
import * as fixtures from "./contract/fixtures.ts";
import { storeAt } from "./folder.ts";

const long = process.env.SEALPOST_TEST_LONG === "1";
const runs = long ? 1000 : 60;
const timeLimitMs = long ? 3_600_000 : 120_000;
const seed = Number(process.env.SEALPOST_SEED ?? Date.now() % 1_000_000);
const once = { attemptId: undefined, attemptMs: 300_000 };

const step = fc.record({
  act: fc.constantFrom(
    ...(["insert", "insert", "insert", "claim", "claim", "delete", "delete"] as const),
    ...(["show", "move", "expire", "sweep", "delay"] as const),
  ),
  group: fc.constantFrom("a", "b", "c"),
  count: fc.integer({ min: 1, max: 5 }),
  passMs: fc.integer({ min: 1, max: 30 }),
  delayMs: fc.constantFrom(0, 0, 0, 25),
  holdMs: fc.constantFrom(10, 60, 200),
  pick: fc.nat(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Listed {
  readonly id: string;
  readonly group: string;
  readonly sentMs: number;
  visibleAtMs: number;
  receives: number;
  sequence: number;
  claimId: string;
}

interface World {
  readonly store: Store;
  readonly queue: QueueIdentity;
  readonly other: QueueIdentity;
  list: Listed[];
  moved: string[];
  nowMs: number;
  names: number;
}

async function insert(world: World, { group: groupId, count, delayMs }: Step): Promise<void> {
  const { store, queue, nowMs } = world;
  const messages = Array.from({ length: count }, () => {
    const visibleAtMs = nowMs + delayMs;
    const changes = { visibleAtMs, groupId };
    return fixtures.messageNamed(`m${++world.names}`, "key-1", nowMs, changes);
  });
  const fifo = { historyId: "history", nowMs, rememberMs: 1000 };
  const insertion = { ...fixtures.insertInto(queue, ...messages), fifo };
  const [placed = []] = await fixtures.commit(store, insertion);
  for (const [index, { messageId: id, visibleAtMs, sentMs }] of messages.entries()) {
    const sequence = placed[index]?.sequence ?? 0;
    const fresh = { receives: 0, claimId: "" };
    world.list.push({ id, group: groupId, sentMs, visibleAtMs, sequence, ...fresh });
  }
}

/** Of each group the first ones up to a hidden one; groups by when their first one was ready. */
function expected({ list, nowMs }: World, count: number): Listed[] {
  const groups = [...Map.groupBy(list, ({ group }) => group).values()];
  const heads = groups
    .filter(([head]) => head !== undefined && head.visibleAtMs <= nowMs)
    .sort(
      ([a], [b]) =>
        (a?.visibleAtMs ?? 0) - (b?.visibleAtMs ?? 0) || (a?.sequence ?? 0) - (b?.sequence ?? 0),
    );
  const open = heads.flatMap((messages) => {
    const hidden = messages.findIndex(({ visibleAtMs }) => visibleAtMs > nowMs);
    return hidden === -1 ? messages : messages.slice(0, hidden);
  });
  return open.slice(0, count);
}

async function claim(world: World, { count, holdMs }: Step): Promise<void> {
  const { store, queue, nowMs } = world;
  const claimId = `c${++world.names}`;
  const visibleAgainMs = nowMs + holdMs;
  const ask = fixtures.claimFrom(queue, nowMs, claimId, { count, visibleAgainMs, fifo: once });
  const [{ messages }] = await fixtures.commit(store, ask);
  const should = expected(world, count);
  deepEqual(
    messages.map(({ messageId, groupId, receiveCount }) => [messageId, groupId, receiveCount]),
    should.map(({ id, group, receives }) => [id, group, receives + 1]),
  );
  for (const one of should) {
    Object.assign(one, { visibleAtMs: visibleAgainMs, claimId, receives: one.receives + 1 });
  }
}

async function onHeld(world: World, { act, pick, count }: Step): Promise<void> {
  const { store, queue, other, nowMs } = world;
  const held = world.list.filter(
    ({ visibleAtMs, receives }) => visibleAtMs > nowMs && receives > 0,
  );
  if (held.length === 0) return;
  const from = pick % held.length;
  // Also the later ones first.
  const some = held.slice(from, from + count).sort(() => (pick % 2 === 0 ? 1 : -1));
  const claims = some.map(({ sequence, claimId }) => ({ sequence, claimId }));
  const gone = new Set(some);
  if (act === "delete") {
    const remove = { kind: "sqs.delete", queue, messages: claims, fifoNowMs: nowMs } as const;
    const [results] = await fixtures.commit(store, remove);
    deepEqual(
      results,
      claims.map(() => "deleted"),
    );
  } else if (act === "move") {
    const place = { placeMac: new Uint8Array(1), deadLetterSourceArn: "arn:source", sentMs: nowMs };
    const messages = claims.map((one) => ({ ...one, ...place }));
    const move: MoveMessages = { kind: "sqs.move", from: queue, to: other, nowMs, messages };
    await fixtures.commit(store, move);
    world.moved.push(...some.map(({ id }) => id));
  } else {
    const changes = claims.map((one) => ({ ...one, visibleAtMs: nowMs }));
    const heldMsMax = 1e6;
    await fixtures.commit(store, { kind: "sqs.visibility", queue, nowMs, heldMsMax, changes });
    for (const one of some) one.visibleAtMs = nowMs;
    return;
  }
  world.list = world.list.filter((one) => !gone.has(one));
}

async function take(world: World, it: Step): Promise<void> {
  world.nowMs += it.passMs;
  const { store, queue, nowMs } = world;
  if (it.act === "insert") await insert(world, it);
  else if (it.act === "claim") await claim(world, it);
  else if (it.act === "sweep") await fixtures.commit(store, { kind: "sqs.sweep", rowsMax: 10 });
  else if (it.act === "expire") {
    const sentBeforeMs = nowMs - 300;
    const expire: ExpireMessages = { kind: "sqs.expire", queue, sentBeforeMs, rowsMax: 3 };
    const old = world.list.filter(({ sentMs }) => sentMs < sentBeforeMs).slice(0, 3);
    const [{ removed }] = await fixtures.commit(store, expire);
    deepEqual(removed, old.length);
    world.list = world.list.filter((one) => !old.includes(one));
  } else if (it.act === "delay") {
    const anew = { sentAfterMs: nowMs - 100, delayMs: it.delayMs };
    await fixtures.commit(store, { kind: "sqs.delay-anew", queue, ...anew });
    for (const one of world.list) {
      if (one.receives > 0 || one.sentMs <= anew.sentAfterMs) continue;
      one.visibleAtMs = one.sentMs + it.delayMs;
    }
  } else await onHeld(world, it);
}

async function agree(world: World): Promise<void> {
  const { store, queue, nowMs, list } = world;
  const hidden = list.filter(({ visibleAtMs }) => visibleAtMs > nowMs);
  const inFlight = hidden.filter(({ receives }) => receives > 0).length;
  deepEqual(await store.query(fixtures.countsOf(queue, nowMs)), {
    visible: list.length - hidden.length,
    inFlight,
    delayed: hidden.length - inFlight,
  });
}

/** What was moved lies in the other queue, each group in the order of the moves. */
async function drainMoved({ store, other, nowMs, moved }: World): Promise<void> {
  const found: string[] = [];
  for (let n = 0; ; n++) {
    const ask = fixtures.claimFrom(other, nowMs, `end${n}`, { fifo: once });
    const [{ messages }] = await fixtures.commit(store, ask);
    if (messages.length === 0) break;
    found.push(...messages.map(({ messageId }) => messageId));
    const claims = messages.map(({ sequence }) => ({ sequence, claimId: `end${n}` }));
    const remove = { kind: "sqs.delete", queue: other, messages: claims } as const;
    await fixtures.commit(store, { ...remove, fifoNowMs: nowMs });
  }
  deepEqual(found.toSorted(), moved.toSorted());
}

test(`a FIFO queue does what lists of its groups would do, seed ${seed}`, async (context) => {
  const store = await storeAt(context, ":memory:");
  await fixtures.commit(store, fixtures.putDataKey(fixtures.dataKeyNamed("key-1")));
  const scripts = fc.array(step, { minLength: 30, maxLength: 120, size: "max" });
  const property = fc.asyncProperty(scripts, async (steps) => {
    const [queue, other] = [fixtures.queueNamed(), fixtures.queueNamed()];
    const world: World = { store, queue, other, list: [], moved: [], nowMs: 1000, names: 0 };
    for (const it of steps) {
      await take(world, it);
      await agree(world);
    }
    await drainMoved(world);
  });
  const limit = { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: true };
  await fc.assert(property, { numRuns: runs, seed, ...limit });
});
