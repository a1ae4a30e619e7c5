// Goal: every command of the guides works as printed. Method: the `sh` blocks of a page are one
// shell script in an empty folder; a block marked `server` runs in the background until the others
// are done; a block marked `needs=…` runs where that client is. `npx sealpost` is this checkout.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../gateway/support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages: Readonly<Record<string, readonly RegExp[]>> = {
  clients: [/"Account": "123456789012"/, /<ListTopicsResponse/, /hello$/m],
  "testing-with-the-clock": [/^take your pills$/m],
  "from-localstack": [/^000000000000$/m, /"sns": "(available|running)"/],
  "encryption-explained": [/^not found$/m, /GenerateDataKey/, /KmsDisabled|KMS\.Disabled/],
  operating: [/"status":"ok"/, /^# HELP/m],
};

interface Block {
  readonly info: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, `docs/guide/${page}.md`), "utf8");
  return [...text.matchAll(/^```sh ?(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: match[1] ?? "",
    text: match[2] ?? "",
  }));
}

const clients = new Map<string, boolean>();

function has(client: string): boolean {
  let found = clients.get(client);
  if (found === undefined) {
    const asked =
      client === "boto3"
        ? spawnSync("python3", ["-c", "import boto3"])
        : spawnSync("sh", ["-c", `command -v ${client}`]);
    found = asked.status === 0;
    clients.set(client, found);
  }
  return found;
}

for (const [page, expected] of Object.entries(pages)) {
  const blocks = blocksOf(page);
  const needs = (info: string) => /needs=(\S+)/.exec(info)?.[1];
  const missing = blocks.flatMap(({ info }) => needs(info) ?? []).filter((name) => !has(name));

  test(`docs/guide/${page}.md: its commands work as printed`, async (t) => {
    if (missing.length > 0) t.diagnostic(`left out, not here: ${[...new Set(missing)].join(", ")}`);
    const folder = temporaryFolder(t);
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const sealpost = `exec ${process.execPath} ${join(root, "bin/sealpost.js")} "$@"`;
    // npx installs the package; here it is there already.
    writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift\n${sealpost}\n`, { mode: 0o755 });
    const work = join(folder, "work");
    mkdirSync(work);
    const run = blocks.filter(({ info }) => !missing.includes(needs(info) ?? ""));
    assert.ok(run.length > 0);
    const script = ["set -eu", ...run.map(({ info, text }) => scriptOf(info, text))];
    const { code, output } = await runShell(script.join("\n"), work, {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: folder,
      TMPDIR: folder,
      AWS_PAGER: "",
      SEALPOST_PORT: "0",
      PYTHONWARNINGS: "ignore",
    });
    assert.equal(code, 0, output);
    assert.equal(existsSync(join(work, ".sealpost/server.json")), false, "the server has stopped");
    if (missing.length > 0) return;
    for (const pattern of expected) assert.match(output, pattern);
  });
}

function scriptOf(info: string, text: string): string {
  if (!info.split(" ").includes("server")) return text;
  return `
( ${text.trim().replace(/^npx /, "exec npx ")} ) & SERVER=$!
trap 'kill $SERVER; wait $SERVER' EXIT
for _ in $(seq 600); do [ -f .sealpost/server.json ] && break; sleep 0.1; done
`;
}

async function runShell(script: string, cwd: string, env: Record<string, string>) {
  const child = spawn("bash", ["-c", script], { cwd, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      output += text;
    });
  }
  const [code] = await once(child, "close");
  return { code: code as number, output };
}

test("a command that fails would be noticed", async (t) => {
  const folder = temporaryFolder(t);
  const { code } = await runShell("set -e\nfalse\necho on", folder, {
    PATH: String(process.env.PATH),
  });
  assert.notEqual(code, 0);
});
