// Goal: what the pages say is true. Method: compare generated pages, check links and names.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { settingEntries } from "../../src/config.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("the reference pages are what the code says", () => {
  const generate = path.join(root, "scripts/generate-reference.ts");
  const { status, stdout } = spawnSync(process.execPath, [generate, "--check"], {
    encoding: "utf8",
  });
  assert.equal(status, 0, `${stdout} run: npm run reference`);
});

test("every link between pages leads somewhere", () => {
  const broken = globSync("{*.md,docs/**/*.md}", { cwd: root }).flatMap((page) => {
    const text = readFileSync(path.join(root, page), "utf8");
    return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => path.join(path.dirname(page), match[1] ?? ""))
      .filter((target) => !existsSync(path.join(root, target)))
      .map((target) => `${page} -> ${target}`);
  });
  assert.deepEqual(broken, []);
});

test("every production dependency is explained", () => {
  const { dependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const page = readFileSync(path.join(root, "docs/dependencies.md"), "utf8");
  const missing = Object.keys(dependencies).filter((name) => !page.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});

test("no page names a machine's path or a setting that is not there", () => {
  const names = new Set(settingEntries.map(([name]) => name));
  assert.ok(names.has("allowInsecureSse"));
  const pages = globSync("{*.md,docs/**/*.md}", { cwd: root });
  const wrong = pages.filter((page) =>
    /\/(work|home|root|Users)\//.test(readFileSync(path.join(root, page), "utf8")),
  );
  assert.deepEqual(wrong, []);
});
