// Goal: what the README and the reference pages say is true. Method: run the README's `sh` blocks
// as they are printed against a server, with the AWS CLI; compare generated pages; check links.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { settingEntries } from "../../src/config.ts";
import { startTestServer } from "../harness/server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const hasAwsCli = spawnSync("aws", ["--version"], { stdio: "ignore" }).status === 0;

test("the tour's commands work as printed", { skip: !hasAwsCli && "no AWS CLI here" }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "sealpost-tour-"));
  const server = await startTestServer({ dataFolder: path.join(folder, ".sealpost") });
  try {
    const env = execFileSync(
      process.execPath,
      [path.join(root, "bin/sealpost.js"), "env", "--data", server.dataFolder],
      { encoding: "utf8" },
    );
    const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
    assert.ok(blocks.length >= 4, "the README has a tour");
    const script = ["set -euo pipefail", env, ...blocks].join("\n");
    const output = await runShell(script, folder);
    assert.match(output, /\\"patient\\": 2911/, "the message came through");
    assert.match(output, /GenerateDataKey/, "the audit shows the use of the key");
    assert.match(output, /^not found$/m, "nothing of the body is on disk");
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

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

/** The server is in this process: the shell must not block its event loop. */
async function runShell(script: string, cwd: string): Promise<string> {
  const { spawn } = await import("node:child_process");
  const child = spawn("bash", ["-c", script], { cwd, env: { ...process.env, AWS_PAGER: "" } });
  let output = "";
  let errors = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text;
  });
  child.stderr.on("data", (text: Buffer) => {
    errors += text;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 0, `the tour failed: ${errors}\n${output}`);
  return output;
}
