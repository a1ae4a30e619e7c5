// Goal: the README's pictures are there and are what their script draws. Method: run it; read them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { palettes, terminalPicture } from "../../scripts/pictures/terminal-svg.ts";

const root = new URL("../../", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), "utf8");

test("the pictures are what the script draws", () => {
  const script = fileURLToPath(new URL("scripts/draw-message.ts", root));
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

test("the README shows all of them, and each says in words what it shows", () => {
  const readme = read("README.md");
  for (const picture of ["message", "terminal-start", "terminal-demo"]) {
    for (const shade of ["light", "dark"]) {
      const file = `docs/images/${picture}-${shade}.svg`;
      assert.ok(readme.includes(file), file);
      const svg = read(file);
      assert.match(svg, /<title>\w+/);
      assert.doesNotMatch(svg, /<script|href=|@import/, "nothing is loaded from elsewhere");
    }
  }
});

test("a terminal's picture breaks lines and takes colours as a terminal does", () => {
  const escapeCode = "\u001b";
  const output = `${"x".repeat(80)}y\r\n${escapeCode}[32m✔${escapeCode}[0m <it's> & `;
  const svg = terminalPicture(output, "title", palettes.dark);
  const lines = svg.match(/<text .*<\/text>/g) ?? [];
  assert.equal(lines.length, 3);
  assert.match(lines[1] ?? "", />y</);
  assert.match(lines[2] ?? "", /<tspan fill='#3fb950'>✔<\/tspan> &lt;it&#39;s> &amp;</);
  assert.equal(svg.includes(escapeCode), false);
});

test("SECURITY.md says plainly that nobody has audited it", () => {
  assert.match(read("SECURITY.md"), /no independent audit/);
});
