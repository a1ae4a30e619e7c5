// Goal: message commands do what a plain list of messages would do, in any order of them.
// Method: fast-check runs random commands (time going forth and sometimes back) against the store
// (of both kinds) and against a model; every answer and the counts after each step must agree. SEALPOST_SEED
// replays; SEALPOST_TEST_LONG=1 runs more.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openBody } from "../../src/crypto/envelope.ts";
import type { Store } from "../../src/kernel/command.ts";
import { silentLog } from "../../src/kernel/log.ts";
import type {
  ChangeVisibility,
  ClaimedMessage,
  DeleteMessages,
  ExpireMessages,
  MessageCounts,
  MoveMessages,
  QueueIdentity,
  UnclaimMessages,
} from "../../src/services/sqs/store.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import * as fixtures from "./contract/fixtures.ts";
import { storeAt } from "./folder.ts";
import { type Claim, QueueModel } from "./queue-model.ts";

const long = process.env.SEALPOST_TEST_LONG === "1";
const runs = long ? 1000 : 60;
const timeLimitMs = long ? 3_600_000 : 120_000;
const seed = Number(process.env.SEALPOST_SEED ?? Date.now() % 1_000_000);

/** One random step; `pick` chooses among the claims made so far. */
const step = fc.record({
  act: fc.constantFrom(
    ...(["insert", "insert", "fan-out", "claim", "claim", "claim", "delete"] as const),
    ...(["visibility", "unclaim", "move", "expire", "discard", "fail"] as const),
  ),
  passMs: fc.integer({ min: -20, max: 60 }),
  count: fc.integer({ min: 1, max: 4 }),
  delayMs: fc.constantFrom(0, 0, 10, 50),
  holdMs: fc.constantFrom(0, 20, 40),
  retentionMs: fc.constantFrom(1000, 1000, 100),
  receiveCountMax: fc.constantFrom(undefined, undefined, 1, 2),
  inFlightMax: fc.constantFrom(100, 3),
  pick: fc.nat(),
  queue: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface World {
  readonly store: Store;
  /** The store's thread seals: bodies of fan-outs are shared. */
  readonly seals: boolean;
  readonly queues: QueueIdentity[];
  readonly models: QueueModel[];
  readonly claims: { queue: number; claim: Claim }[];
  nowMs: number;
  names: number;
}

async function take(world: World, it: Step): Promise<void> {
  world.nowMs = Math.max(1, world.nowMs + it.passMs);
  const index = it.queue ? 0 : 1;
  const queue = world.queues[index];
  const model = world.models[index];
  if (queue === undefined || model === undefined) throw new Error("there are two queues");
  const { store, nowMs } = world;
  if (it.act === "insert") await insert(world, queue, model, it);
  else if (it.act === "fan-out") await fanOut(world, it);
  else if (it.act === "claim") await claim(world, index, it);
  else if (it.act === "expire") {
    const sentBeforeMs = nowMs - it.retentionMs;
    const expire: ExpireMessages = { kind: "sqs.expire", queue, sentBeforeMs, rowsMax: 2 };
    deepEqual((await fixtures.commit(store, expire))[0], model.expire(sentBeforeMs, 2));
  } else if (it.act === "discard") {
    // Rare, else every run is over soon; the queue's next life is another queue.
    if (it.pick % 4 !== 0) return;
    await fixtures.commit(store, { kind: "sqs.discard", queue });
    world.queues[index] = fixtures.queueNamed();
    world.models[index] = new QueueModel();
  } else if (it.act === "fail") {
    // A commit that fails after it changed something must leave no trace in what is remembered.
    const bad = fixtures.insertInto(queue, fixtures.messageNamed("bad", "no-such-key", nowMs));
    const half = claimOf(world, queue, it);
    await store.commit({ decidedUnder: [], commands: [half, bad] }).then(
      () => Promise.reject(new Error("a commit without its data key was accepted")),
      () => undefined,
    );
  } else await onClaimed(world, it);
}

async function insert(world: World, queue: QueueIdentity, model: QueueModel, it: Step) {
  const messages = Array.from({ length: it.count }, () => {
    world.names += 1;
    const visibleAtMs = world.nowMs + it.delayMs;
    return fixtures.messageNamed(`m${world.names}`, "key-1", world.nowMs, { visibleAtMs });
  });
  await fixtures.commit(world.store, fixtures.insertInto(queue, ...messages));
  for (const { messageId, sentMs, visibleAtMs } of messages) {
    model.insert(messageId, sentMs, visibleAtMs);
  }
}

const dataKeyIds = ["1".repeat(32), "2".repeat(32)] as const;
const dataKeyOf = (id: string) => Buffer.alloc(32, Number(id[0]));
const sealingArn = "arn:aws:sqs:us-east-1:123456789012:shared";

/** One body for both queues, in one commit. */
async function fanOut(world: World, it: Step): Promise<void> {
  world.names += 1;
  const body = Buffer.from(`body of s${world.names}`);
  const visibleAtMs = world.nowMs + it.delayMs;
  const messages = dataKeyIds.map((dataKeyId, index) => {
    const unsealed = { sealed: { dataKeyId, sealingArn, body }, placeMac: new Uint8Array(0) };
    return fixtures.messageNamed(`s${world.names}/${index}`, dataKeyId, world.nowMs, {
      visibleAtMs,
      ...(world.seals && unsealed),
    });
  });
  const inserts = world.queues.map((queue, index) =>
    fixtures.insertInto(queue, messages[index] ?? fixtures.messageNamed("", "", 0)),
  );
  await fixtures.commit(world.store, ...inserts);
  for (const [index, model] of world.models.entries()) {
    model.insert(`s${world.names}/${index}`, world.nowMs, visibleAtMs);
  }
}

/** What came of a shared body, wherever its message is now. */
function checkBody({ seals }: World, { messageId, dataKeyId, bytes }: ClaimedMessage): void {
  if (!seals || !messageId.startsWith("s")) return;
  const body = openBody(dataKeyOf(dataKeyId), dataKeyId, sealingArn, bytes);
  deepEqual(String(body), `body of ${messageId.split("/")[0]}`);
}

function claimOf(world: World, queue: QueueIdentity, it: Step) {
  const { count, inFlightMax, receiveCountMax } = it;
  world.names += 1;
  return fixtures.claimFrom(queue, world.nowMs, `c${world.names}`, {
    count,
    inFlightMax,
    receiveCountMax,
    visibleAgainMs: world.nowMs + it.holdMs,
    retainedSinceMs: world.nowMs - it.retentionMs,
  });
}

async function claim(world: World, index: number, it: Step): Promise<void> {
  const [queue, model] = [world.queues[index], world.models[index]];
  if (queue === undefined || model === undefined) return;
  const command = claimOf(world, queue, it);
  const [result] = await fixtures.commit(world.store, command);
  const expected = model.claim(command);
  const facts = (row: { messageId: string; receiveCount: number; firstReceivedMs: number }) => {
    return [row.messageId, row.receiveCount, row.firstReceivedMs];
  };
  deepEqual(result.overLimit, expected.overLimit);
  deepEqual(result.messages.map(facts), expected.messages.map(facts));
  deepEqual(result.exhausted.map(facts), expected.exhausted.map(facts));
  for (const message of [...result.messages, ...result.exhausted]) checkBody(world, message);
  const seen = [...expected.messages, ...expected.exhausted];
  [...result.messages, ...result.exhausted].forEach(({ sequence, visibleAtMs }, at) => {
    const place = seen[at]?.place ?? 0;
    const made = { sequence, place, visibleAtMs, claimId: command.claimId };
    world.claims.push({ queue: index, claim: made });
  });
}

/** What is done with a claim made earlier, good or long superseded. */
async function onClaimed(world: World, it: Step): Promise<void> {
  // Mostly a recent one, which may still hold; now and then any.
  const among = it.pick % 5 === 0 ? world.claims : world.claims.slice(-4);
  const picked = among[it.pick % Math.max(1, among.length)];
  if (picked === undefined) return;
  const { store, nowMs } = world;
  const [queue, model] = [world.queues[picked.queue], world.models[picked.queue]];
  const [to, toModel] = [world.queues[1 - picked.queue], world.models[1 - picked.queue]];
  if (!queue || !model || !to || !toModel) return;
  const { sequence, claimId, visibleAtMs } = picked.claim;
  if (it.act === "delete") {
    const remove: DeleteMessages = {
      kind: "sqs.delete",
      queue,
      messages: [{ sequence, claimId }],
    };
    deepEqual((await fixtures.commit(store, remove))[0], [model.delete(picked.claim)]);
  } else if (it.act === "visibility") {
    const untilMs = nowMs + it.holdMs;
    const changes = [{ sequence, claimId, visibleAtMs: untilMs }];
    const change: ChangeVisibility = {
      kind: "sqs.visibility",
      queue,
      nowMs,
      heldMsMax: 50,
      changes,
    };
    const expected = [model.changeVisibility(picked.claim, untilMs, 50)];
    deepEqual((await fixtures.commit(store, change))[0], expected);
  } else if (it.act === "unclaim") {
    const messages = [{ sequence, claimId, visibleAtMs }];
    const unclaim: UnclaimMessages = { kind: "sqs.unclaim", queue, messages };
    await fixtures.commit(store, unclaim);
    model.unclaim(picked.claim);
  } else {
    const place = { placeMac: new Uint8Array(1), deadLetterSourceArn: "arn:source" };
    const messages = [{ sequence, claimId, ...place }];
    const move: MoveMessages = { kind: "sqs.move", from: queue, to, nowMs, messages };
    const expected = { moved: model.moveTo(toModel, picked.claim, nowMs) };
    deepEqual((await fixtures.commit(store, move))[0], expected);
  }
}

async function agree(world: World): Promise<void> {
  for (const [index, queue] of world.queues.entries()) {
    const { store, nowMs } = world;
    const model = world.models[index];
    for (const retainedSinceMs of [0, nowMs - 100]) {
      const counts = await store.query(fixtures.countsOf(queue, nowMs, retainedSinceMs));
      deepEqual(counts, model?.counts(nowMs, retainedSinceMs) satisfies MessageCounts | undefined);
    }
    const next = await store.query({ kind: "sqs.next-visible", queue, nowMs });
    deepEqual(next, model?.nextVisible(nowMs));
  }
}

test(`the embedded store does what a list of messages would do, seed ${seed}`, async (context) => {
  const store = await storeAt(context, ":memory:");
  store.sealingThread.placesUnder(Buffer.alloc(32, 9));
  for (const id of dataKeyIds) store.sealingThread.keep(id, dataKeyOf(id));
  await compare(store, runs, true);
});

test(`the shared store does what a list of messages would do, seed ${seed}`, async (context) => {
  const cluster = await sharedCluster();
  const options = { url: cluster.newStoreUrl(), log: silentLog, systemNowMs: Date.now };
  const store = await openPostgresStore(options);
  context.after(() => store.close());
  // Each act is a transaction of its own here.
  await compare(store, Math.ceil(runs / 15), false);
});

async function compare(store: Store, numRuns: number, seals: boolean): Promise<void> {
  for (const id of ["key-1", ...dataKeyIds]) {
    await fixtures.commit(store, fixtures.putDataKey(fixtures.dataKeyNamed(id)));
  }
  // Long runs: short ones seldom receive a message twice.
  const scripts = fc.array(step, { minLength: 30, maxLength: 120, size: "max" });
  const property = fc.asyncProperty(scripts, async (steps) => {
    const queues = [fixtures.queueNamed(), fixtures.queueNamed()];
    const models = [new QueueModel(), new QueueModel()];
    const world: World = { store, seals, queues, models, claims: [], nowMs: 1000, names: 0 };
    for (const it of steps) {
      await take(world, it);
      await agree(world);
    }
  });
  // Bounds the search for a shorter script too; a run that is cut short is no success.
  const limit = { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: true };
  await fc.assert(property, { numRuns, seed, ...limit });
}
