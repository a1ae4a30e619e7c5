// Goal: whatever dies, no acknowledged message is lost, no deleted one comes back, FIFO order holds,
// and clients recover by trying again.
// Method: two server processes on a real PostgreSQL, clients of both under load, and a fault in the
// middle; the counts are printed. SEALPOST_TEST_LONG makes the load last and the faults repeat. The
// twin: the ledger finds what a broken store would do.
import { deepEqual } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type PostgresCluster, startCluster } from "../harness/postgres/cluster.ts";
import { startPair } from "../harness/postgres/pair.ts";
import { check, checkMet } from "./check.ts";
import { DrillLedger } from "./ledger.ts";
import { drill } from "./load.ts";
import { startServers } from "./servers.ts";

const long = process.env.SEALPOST_TEST_LONG === "1";
const seconds = long ? 30 : 3;
const rounds = long ? 5 : 1;

async function clusterFor(t: TestContext): Promise<PostgresCluster> {
  const cluster = await startCluster();
  t.after(() => cluster.stop());
  return cluster;
}

test("kill -9 of a server under load", async (t) => {
  const cluster = await clusterFor(t);
  const servers = await startServers(t, cluster.newStoreUrl(), 2);
  const disturb = async () => {
    for (let round = 0; round < rounds; round += 1) await servers.killAndStart(round % 2);
  };
  checkMet("server killed", await drill({ servers, seconds, disturb }));
});

test("kill -9 and restart of the database under load", async (t) => {
  const cluster = await clusterFor(t);
  const servers = await startServers(t, cluster.newStoreUrl(), 2);
  const disturb = async () => {
    for (let round = 0; round < rounds; round += 1) {
      await cluster.kill();
      await pause(300);
      await cluster.start();
      await pause(long ? 3_000 : 0);
    }
  };
  checkMet("database killed", await drill({ servers, seconds, disturb }));
});

test("connections cut in mid-transaction", async (t) => {
  const cluster = await clusterFor(t);
  const servers = await startServers(t, cluster.newStoreUrl(), 2);
  const disturb = async () => {
    for (let round = 0; round < 6 * rounds; round += 1) {
      await cluster.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE 'sealpost%' AND state <> 'idle'`,
      );
      await pause(100);
    }
  };
  check("connections cut", await drill({ servers, seconds, disturb }));
});

test("a synchronous standby is promoted after kill -9 of the primary", async (t) => {
  const pair = await startPair();
  t.after(() => pair.stop());
  const servers = await startServers(t, pair.storeUrl, 2);
  const disturb = () => pair.failOver();
  checkMet("standby promoted", await drill({ servers, seconds, disturb }));
});

test("the twin: what a broken store would do is found", () => {
  const ledger = new DrillLedger();
  for (const body of ["s:1", "s:2", "a:1", "a:2", "a:3"]) ledger.sent(body);
  ledger.came("id-1", "s:1", ledger.deletedSoFar());
  ledger.deleted("id-1", "s:1");
  ledger.came("id-1", "s:1", ledger.deletedSoFar());
  ledger.cameInOrder("id-a", "a:1", ledger.deletedSoFar());
  ledger.cameInOrder("id-c", "a:3", ledger.deletedSoFar());
  ledger.cameInOrder("id-x", "a:1", ledger.deletedSoFar());
  deepEqual(ledger.report().violations, [
    "deleted and back: s:1",
    "a:3 came after a:1",
    "taken twice: a:1",
    "lost: s:2",
    "lost: a:2",
  ]);
});
