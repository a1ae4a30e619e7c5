// Goal: a database that answers slowly, falls silent for a while, or holds a lock costs time and
// retries, and no message, no order, no deletion.
// Method: two server processes reach a real PostgreSQL through a proxy that delays and holds back
// what passes; a lock on the table of messages is taken from aside
// (one table: a lock of two can meet the servers' own in a deadlock, which ends one of the two). SEALPOST_TEST_LONG makes the
// load last, and the silence longer than any statement may take: the way is dead, and nobody says
// so.
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startCluster } from "../harness/postgres/cluster.ts";
import { startProxy } from "../harness/postgres/proxy.ts";
import { check, checkMet } from "./check.ts";
import { drill } from "./load.ts";
import { startServers } from "./servers.ts";

const long = process.env.SEALPOST_TEST_LONG === "1";
const seconds = long ? 30 : 3;
const rounds = long ? 4 : 1;

async function behindProxy(t: { after(act: () => Promise<void>): void }) {
  const cluster = await startCluster();
  t.after(() => cluster.stop());
  const proxy = await startProxy(cluster.port);
  t.after(async () => proxy.close());
  const store = new URL(cluster.newStoreUrl());
  store.port = String(proxy.port);
  return { cluster, proxy, store };
}

test("a slow database: delays, silence, a lock", async (t) => {
  const { cluster, proxy, store } = await behindProxy(t);
  const servers = await startServers(t, store.href, 2);
  const schema = store.searchParams.get("schema") ?? "";
  const disturb = async () => {
    for (let round = 0; round < rounds; round += 1) {
      for (const delayMs of [20, 150, 400]) {
        proxy.delay(delayMs);
        await pause(500);
      }
      proxy.delay(0);
      proxy.stall();
      await pause(1_500);
      proxy.flow();
      await cluster.sql(`BEGIN; LOCK TABLE ${schema}.messages; SELECT pg_sleep(1); COMMIT`);
    }
  };
  check("slow database", await drill({ servers, seconds, disturb }));
});

const skip = long ? false : "longer than a statement may take; with SEALPOST_TEST_LONG=1";

test("a way to the database that is dead without a word", { skip }, async (t) => {
  const { proxy, store } = await behindProxy(t);
  const servers = await startServers(t, store.href, 2);
  const disturb = async () => {
    proxy.abandon();
    await pause(45_000);
  };
  checkMet("dead way", await drill({ servers, seconds, disturb }));
});
