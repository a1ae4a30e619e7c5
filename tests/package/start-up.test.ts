// Goal: a start loads nothing that only some servers need: a database driver, mail, metrics, tokens,
// the AWS SDK. Method: follow the imports that are not made later, from every entry.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../src", import.meta.url));
const entries = [
  "cli/main.ts",
  "main.ts",
  "stores/sqlite/thread.ts",
  "keys/child.ts",
  "testing/index.ts",
  "testing/server-process.ts",
];

/** Packages that a program has loaded before its first own line runs. */
function packagesOf(entry: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, specifier = ""] of text.matchAll(
      /^(?:import|export)(?! type)\s(?:[^;"]*?\sfrom\s)?"([^"]+)"/gm,
    )) {
      if (specifier.startsWith(".")) visit(join(file, "..", specifier));
      else if (!specifier.startsWith("node:")) found.add(packageName(specifier));
    }
  };
  visit(join(source, entry));
  return found;
}

function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

test("a start loads the packages that every server needs, and no others", () => {
  const loaded = new Set(entries.flatMap((entry) => [...packagesOf(entry)]));
  assert.deepEqual([...loaded].sort(), ["commander", "pino"]);
});

test("what is loaded later is seen when it is asked for", () => {
  assert.ok(existsSync(join(source, "delivery/smtp.ts")));
  const text = readFileSync(join(source, "delivery/smtp.ts"), "utf8");
  assert.match(text, /await import\("nodemailer"\)/);
  assert.equal(packagesOf("delivery/smtp.ts").has("nodemailer"), false);
  assert.equal(packagesOf("cli/program.ts").has("commander"), true);
});
