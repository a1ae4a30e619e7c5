// Goal: the benchmark's command tells wrong flags without a stack, and measures nothing then. Method:
// the command itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../bench/run.ts", import.meta.url));

test("a wrong flag is told, with where to read on", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "--slice", "1.5"], {
    encoding: "utf8",
  });
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^--slice takes a whole number of at least 1, not 1\.5\n.*--help/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});
