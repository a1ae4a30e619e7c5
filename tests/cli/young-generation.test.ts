import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { growthFactor } from "../../src/cli/young-generation.ts";

const mebibyte = 1024 * 1024;

test("a half may double as long as it stays within the bound", () => {
  assert.equal(growthFactor(4 * mebibyte, 8 * mebibyte), "2");
  assert.equal(growthFactor(4 * mebibyte + 1, 8 * mebibyte), "1");
  assert.equal(growthFactor(16 * mebibyte, 8 * mebibyte), "1");
});

/** A process that keeps much alive for a while, and says in the end what a half can hold. */
function halfOf(bytesMax: number): number {
  const file = fileURLToPath(new URL("../../src/cli/young-generation.ts", import.meta.url));
  const script = `
    const { boundYoungGeneration, halfBytes } = await import(${JSON.stringify(file)});
    boundYoungGeneration(${bytesMax});
    const kept = [];
    for (let turn = 0; turn < 150; turn += 1) {
      for (let i = 0; i < 20_000; i += 1) kept[i] = { turn, i: [i] };
      await new Promise(setImmediate);
    }
    console.log(halfBytes());`;
  const args = ["--input-type=module", "--max-semi-space-size=32", "--eval", script];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

/**
 * Goal: V8 heeds the bound. Method: a process whose objects survive, so that its young generation
 * grows; twin: the same with a bound beyond what V8 takes.
 */
test("the young generation of a process stays within its bound", () => {
  assert.ok(halfOf(4 * mebibyte) <= 4 * mebibyte);
  assert.ok(halfOf(1024 * mebibyte) > 4 * mebibyte);
});
