// Goal: a database that ended by itself and was started again leaves nothing behind: neither a
// process nor anything that keeps the test's own process alive. Method: a process of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const cluster = fileURLToPath(new URL("../harness/postgres/cluster.ts", import.meta.url));

const script = `
  import { readFileSync } from "node:fs";
  import { join } from "node:path";
  const { startCluster } = await import(${JSON.stringify(cluster)});
  const cluster = await startCluster();
  const pid = () => Number(readFileSync(join(cluster.dataFolder, "postmaster.pid"), "utf8").split("\\n")[0]);
  const first = pid();
  process.kill(first, "SIGQUIT");
  // It takes no statements once it is gone.
  while (await cluster.sql("SELECT 1").then(() => true, () => false));
  await cluster.keepUp();
  console.log(first !== pid());
  await cluster.stop();`;

test("a process whose database ended by itself and came again ends as well", async () => {
  const args = ["--input-type=module", "--eval", script];
  // Time enough for a slow machine; who hangs would do so for ever.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
  assert.equal(stdout, "true\n");
});
