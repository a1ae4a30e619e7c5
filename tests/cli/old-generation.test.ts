// Goal: V8 heeds the bound on how far its old generation grows. Method: a process in which objects
// live long enough to grow old, and then die; twin: the same with a bound beyond what V8 takes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Bytes of the old generation at its largest. */
function largest(percent: number): number {
  const file = fileURLToPath(new URL("../../src/cli/old-generation.ts", import.meta.url));
  const script = `
    const { getHeapStatistics } = await import("node:v8");
    const { boundOldGeneration } = await import(${JSON.stringify(file)});
    boundOldGeneration(${percent});
    const kept = [];
    let most = 0;
    for (let turn = 0; turn < 400; turn += 1) {
      for (let i = 0; i < 5_000; i += 1) kept[(turn % 40) * 5_000 + i] = { turn, i: [i] };
      if (turn > 150) most = Math.max(most, getHeapStatistics().used_heap_size);
      await new Promise(setImmediate);
    }
    console.log(most);`;
  const args = ["--input-type=module", "--max-semi-space-size=1", "--eval", script];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

test("the old generation of a process stays within its bound", () => {
  const [near, far] = [largest(20), largest(400)];
  assert.ok(near * 1.5 < far, `${near} and ${far} bytes`);
});
