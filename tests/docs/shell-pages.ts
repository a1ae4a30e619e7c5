/**
 * The commands of pages as shell scripts. A block marked `server` runs in the background until the
 * others are done; one marked `stopped` runs after the server has ended; one marked `needs=…` where
 * that client is. `npx sealpost` and npm's scripts are this checkout; port 4566 is a free one.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../gateway/support.ts";
import { freePort } from "../harness/free-port.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

interface Block {
  readonly info: string;
  readonly text: string;
}

/** The guides that have commands. */
export const guides = globSync("docs/guide/*.md", { cwd: root })
  .filter((page) => blocksOf(page).length > 0)
  .sort();

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```sh ?(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: match[1] ?? "",
    text: match[2] ?? "",
  }));
}

export async function runPage(
  t: TestContext,
  page: string,
  change: (blocks: Block[]) => Block[] = (blocks) => blocks,
) {
  const blocks = change(blocksOf(page));
  const needs = (info: string) => /needs=(\S+)/.exec(info)?.[1];
  const missing = [...new Set(blocks.flatMap(({ info }) => needs(info) ?? []))].filter(
    (client) => !has(client),
  );
  const run = blocks.filter(({ info }) => !missing.includes(needs(info) ?? ""));
  assert.ok(run.length > 0);
  const folder = temporaryFolder(t);
  const work = join(folder, "work");
  mkdirSync(work);
  const port = await freePort();
  const script = ["set -eu", ...run.map(({ info, text }) => scriptOf(info, text))].join("\n");
  const { code, output } = await runShell(
    script.replaceAll("localhost:4566", `localhost:${port}`),
    {
      cwd: work,
      env: {
        PATH: `${shims(folder)}:${process.env.PATH}`,
        HOME: folder,
        TMPDIR: folder,
        AWS_PAGER: "",
        SEALPOST_PORT: String(port),
        PYTHONWARNINGS: "ignore",
      },
    },
  );
  assert.equal(existsSync(join(work, ".sealpost/server.json")), false, `still there: ${output}`);
  return { code, output, missing };
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

/** Commands that would fetch a package: it is here already. */
function shims(folder: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const sealpost = `exec ${process.execPath} ${join(root, "bin/sealpost.js")}`;
  const write = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  write("npx", `while [ "$1" = -p ]; do shift 2; done\nshift\n${sealpost} "$@"`);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.equal(scripts.start, "node bin/sealpost.js serve");
  const tested = 'test -n "$AWS_ENDPOINT_URL" && echo "a temporary server for the tests"';
  write(
    "npm",
    `case "$1" in ci) ;; start) ${sealpost} serve ;; test) ${tested} ;; *) exit 9 ;; esac`,
  );
  return bin;
}

const stop =
  'kill "$(sed -n \'s/.*"pid": *\\([0-9]*\\).*/\\1/p\' .sealpost/server.json)"; wait $SERVER';

function scriptOf(info: string, text: string): string {
  const marks = info.split(" ");
  if (marks.includes("stopped")) return `trap - EXIT\n${stop}\n${text}`;
  if (!marks.includes("server")) return text;
  return `
( ${text.trim()}
) & SERVER=$!
trap '${stop.replaceAll("'", "'\\''")}' EXIT
for _ in $(seq 600); do [ -f .sealpost/server.json ] && break; sleep 0.1; done
`;
}

async function runShell(
  script: string,
  options: { readonly cwd: string; readonly env: Record<string, string> },
) {
  const child = spawn("bash", ["-c", script], options);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      output += text;
    });
  }
  const [code] = await once(child, "close");
  return { code: code as number, output };
}
