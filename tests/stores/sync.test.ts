// Goal: acknowledged means fsync'd: each transaction syncs at least once before it is answered.
// Method: strace counts fsync and fdatasync of a child that makes so many transactions, less those
// of a child that makes none. The twin runs with syncing off and must fail the same check.
import { equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { newFolder } from "./folder.ts";

const child = fileURLToPath(new URL("./children/sync.ts", import.meta.url));
const transactions = 50;
const strace = spawnSync("strace", ["-f", "-c", "true"], { encoding: "utf8" });
const skip = strace.status === 0 ? false : "strace is absent or may not trace here";

function syncsOf(...args: string[]): number {
  const folder = newFolder();
  const trace = join(folder, "trace");
  const command = [process.execPath, child, join(folder, "store.db"), ...args];
  const calls = ["-f", "-e", "trace=fsync,fdatasync", "-o", trace];
  const run = spawnSync("strace", [...calls, ...command], { encoding: "utf8" });
  equal(run.status, 0, run.stderr);
  return readFileSync(trace, "utf8").match(/(?:fsync|fdatasync)\(\d+\) += 0/g)?.length ?? 0;
}

test("every transaction is synced, and syncing off would be seen", { skip }, (context) => {
  const idle = syncsOf("0");
  const synced = syncsOf(String(transactions)) - idle;
  const unsynced = syncsOf(String(transactions), "off") - idle;
  context.diagnostic(`${synced} syncs for ${transactions} transactions; ${unsynced} with them off`);
  equal(synced >= transactions, true);
  equal(unsynced >= transactions, false);
});
