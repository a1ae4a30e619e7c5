// Goal: the README's pictures are there and are what their script draws. Method: run it; read them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), "utf8");

test("the pictures are what the script draws", () => {
  const script = fileURLToPath(new URL("scripts/draw-message.ts", root));
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

test("the README shows both, and each says in words what it shows", () => {
  const readme = read("README.md");
  for (const name of ["light", "dark"]) {
    assert.ok(readme.includes(`docs/images/message-${name}.svg`), name);
    const svg = read(`docs/images/message-${name}.svg`);
    assert.match(svg, /<title>The way of a message/);
    assert.doesNotMatch(svg, /<script|href=|@import/, "nothing is loaded from elsewhere");
  }
});

test("SECURITY.md says plainly that nobody has audited it", () => {
  assert.match(read("SECURITY.md"), /no independent audit/);
});
