// Goal: several processes on one store learn of each other's changes, and whoever is cut off does
// not trust what it cached.
// Method: two stores on one schema of a real PostgreSQL, with record caches on top; the connections
// of one of them are ended by the database.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { StaleDecision } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { recordKind } from "../../src/kernel/records.ts";
import { RecordCache } from "../../src/state/record-cache.ts";
import { openPostgresStore, type PostgresStore } from "../../src/stores/postgres/open.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";

interface Thing {
  readonly color: string;
}

const things = recordKind<Thing>("test.thing");
const scope = { accountId: "123456789012", region: "us-east-1" };

interface Process {
  readonly store: PostgresStore;
  readonly cache: RecordCache;
  readonly elapsed: { aheadMs: number };
  color(): Promise<string | undefined>;
  paint(color: string): Promise<void>;
}

async function processOn(t: TestContext, url: string): Promise<Process> {
  const elapsed = { aheadMs: 0 };
  const store = await openPostgresStore({
    url,
    log: silentLog,
    systemNowMs: Date.now,
    elapsedMs: () => performance.now() + elapsed.aheadMs,
  });
  t.after(() => store.close());
  const rows = { make: () => Buffer.from("mac"), verify: () => true };
  const cache = new RecordCache({ store, rows, entriesMax: 100, peers: store.peers });
  const color = async () => (await things.get(cache.view(), scope, "it"))?.color;
  return {
    store,
    cache,
    elapsed,
    color,
    async paint(painted) {
      const view = cache.view();
      await things.get(view, scope, "it");
      await cache.commit(view, [things.put(scope, "it", { color: painted })]);
    },
  };
}

async function twoProcesses(t: TestContext): Promise<readonly [Process, Process]> {
  const cluster = await sharedCluster();
  const url = cluster.newStoreUrl();
  return Promise.all([processOn(t, url), processOn(t, url)]);
}

/** Waits for what is bound to come within a second. */
async function soon(what: () => Promise<boolean> | boolean): Promise<number> {
  const begun = performance.now();
  while (!(await what())) {
    if (performance.now() - begun > 5_000) throw new Error("it did not come");
    await pause(5);
  }
  return performance.now() - begun;
}

test("processes that start together on an empty schema migrate it once", async (t) => {
  const [one, two] = await twoProcesses(t);
  await one.paint("red");
  await soon(async () => (await two.color()) === "red");
});

test("a change is known at once here, and soon elsewhere; a stale decision is refused", async (t) => {
  const [one, two] = await twoProcesses(t);
  await one.paint("red");
  await soon(async () => (await two.color()) === "red");
  const view = two.cache.view();
  await things.get(view, scope, "it");
  await one.paint("blue");
  equal(await one.color(), "blue");
  // Decided under what was true before: refused, whether the hint has come or not.
  const act = two.cache.commit(view, [things.put(scope, "it", { color: "green" })]);
  await rejects(act, StaleDecision);
  await soon(async () => (await two.color()) === "blue");
});

test("a hint that is lost is made up for by looking", async (t) => {
  const [one, two] = await twoProcesses(t);
  await one.paint("red");
  await soon(async () => (await two.color()) === "red");
  const cluster = await sharedCluster();
  // The change comes from somebody who tells nobody.
  const { schema } = one.store.address;
  await cluster.sql(
    `UPDATE ${schema}.records SET content = '{"color":"black"}';
     UPDATE ${schema}.account_versions SET version = version + 1`,
  );
  await soon(async () => (await two.color()) === "black");
  await soon(async () => (await one.color()) === "black");
});

test("without its feed for more than a second a process reads everything anew", async (t) => {
  const [one, two] = await twoProcesses(t);
  await one.paint("red");
  await soon(async () => (await two.color()) === "red");
  const cluster = await sharedCluster();
  const { schema } = one.store.address;
  const write = (color: string) =>
    cluster.sql(`UPDATE ${schema}.records SET content = '{"color":"${color}"}'`);
  // The twin: trusted, the cached value counts, and nobody told of this write.
  await write("white");
  equal(await two.color(), "red");
  two.elapsed.aheadMs += 1_001;
  equal(two.store.peers.trusted(), false);
  equal(await two.color(), "white");
  await soon(() => two.store.peers.trusted());
});

test("hints reach all others and not oneself; the same one goes out once", async (t) => {
  const [one, two] = await twoProcesses(t);
  const heard: string[] = [];
  one.store.peers.on("greeting", (text) => heard.push(`one ${text}`));
  two.store.peers.on("greeting", (text) => heard.push(`two ${text}`));
  for (const text of ["a", "b", "a"]) one.store.peers.tell("greeting", text);
  for (let index = 0; index < 2000; index += 1) one.store.peers.tell("many", `hint ${index}`);
  const many: string[] = [];
  two.store.peers.on("many", (text) => many.push(text));
  await soon(() => many.length === 2000);
  deepEqual(heard, ["two a", "two b"]);
});

test("a lease is one process's until it is given back or over", async (t) => {
  const [one, two] = await twoProcesses(t);
  equal(await one.store.peers.lease("work", 60_000), true);
  equal(await one.store.peers.lease("work", 60_000), true);
  equal(await two.store.peers.lease("work", 60_000), false);
  await one.store.peers.release("work");
  equal(await two.store.peers.lease("work", -1), true);
  equal(await one.store.peers.lease("work", 60_000), true);
});

test("the database's time is told from that of a host that is an hour behind", async (t) => {
  const cluster = await sharedCluster();
  const hourMs = 3_600_000;
  const store = await openPostgresStore({
    url: cluster.newStoreUrl(),
    log: silentLog,
    systemNowMs: () => Date.now() - hourMs,
  });
  t.after(() => store.close());
  equal(Math.abs(store.peers.clockOffsetMs() - hourMs) < 1_000, true);
});

test("what runs alone waits for the other process", async (t) => {
  const [one, two] = await twoProcesses(t);
  const order: string[] = [];
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const first = one.store.peers.alone("start", async () => {
    begun.resolve();
    await end.promise;
    order.push("first");
  });
  await begun.promise;
  const second = two.store.peers.alone("start", async () => {
    order.push("second");
  });
  end.resolve();
  await Promise.all([first, second]);
  deepEqual(order, ["first", "second"]);
});

test("connections that are cut are made again", async (t) => {
  const [one, two] = await twoProcesses(t);
  await one.paint("red");
  const cluster = await sharedCluster();
  await cluster.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'sealpost%'",
  );
  await soon(async () => {
    await one.paint("blue").catch(() => {});
    return (await one.color().catch(() => undefined)) === "blue";
  });
  await soon(async () => (await two.color().catch(() => undefined)) === "blue");
});

test("whoever lost its feed is told that it may have missed hints", async (t) => {
  const [one] = await twoProcesses(t);
  const gaps: number[] = [];
  one.store.peers.onGap(() => gaps.push(gaps.length));
  const cluster = await sharedCluster();
  await cluster.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sealpost feed'",
  );
  // Once when it is lost, once when it is there again.
  await soon(() => gaps.length === 2);
});
