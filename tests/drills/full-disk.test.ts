// Goal: while the database's disk is full, clients get retryable errors; when there is space again
// they go on by themselves, and nothing that was acknowledged is lost.
// Method: a real PostgreSQL on a small file system of its own (where we may mount one) that a
// ballast file fills up under load; once clients were refused, the ballast goes. Where the database
// stopped for want of space for its log, it is started again, as an operator's supervisor does.
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type ClusterOptions, startCluster } from "../harness/postgres/cluster.ts";
import { checkMet } from "./check.ts";
import { drill } from "./load.ts";
import { startServers } from "./servers.ts";

const long = process.env.SEALPOST_TEST_LONG === "1";
const seconds = long ? 30 : 3;
const rounds = long ? 4 : 1;
/** Times that clients are refused before there is space again. */
const refusals = 20;

const folder = mkdtempSync(join(tmpdir(), "sealpost-disk-"));
const mounted =
  process.getuid?.() === 0 &&
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", folder]).status === 0;
const skip = mounted ? false : "no right to mount a small file system";
// PostgreSQL runs as another user.
before(() => chmodSync(folder, 0o777));
after(() => {
  if (mounted) spawnSync("umount", ["--lazy", folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** Takes all the space there is. */
function fill(name: string): string {
  const ballast = join(folder, name);
  const chunk = Buffer.alloc(65_536);
  const file = openSync(ballast, "w");
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
  return ballast;
}

async function fillUnderLoad(t: TestContext, name: string, where: ClusterOptions) {
  const cluster = await startCluster(where);
  t.after(() => cluster.stop());
  const servers = await startServers(t, cluster.newStoreUrl(), 2);
  const disturb = async (failures: () => number) => {
    for (let round = 0; round < rounds; round += 1) {
      const until = failures() + refusals;
      const ballast: string[] = [];
      while (failures() < until) {
        // What the database gives back is taken as well.
        ballast.push(fill(`ballast-${ballast.length}`));
        await pause(50);
      }
      for (const file of ballast) rmSync(file);
      await cluster.keepUp();
    }
  };
  checkMet(name, await drill({ servers, seconds, disturb, paddingBytes: 4_000 }));
}

test("the database's disk is full", { skip }, (t) =>
  fillUnderLoad(t, "full disk", { parent: folder, settings: "max_wal_size = 48MB\n" }),
);

test(
  "the disk of its write-ahead log is full: it stops",
  {
    skip: skip || (long ? false : "with SEALPOST_TEST_LONG=1"),
  },
  (t) =>
    fillUnderLoad(t, "full disk of the log", {
      flags: [`--waldir=${join(folder, "log")}`, "--wal-segsize=1"],
      settings: "max_wal_size = 8MB\nmin_wal_size = 2MB\nwal_recycle = off\n",
    }),
);
