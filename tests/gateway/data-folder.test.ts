import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DataFolderError, openDataFolder } from "../../src/gateway/data-folder.ts";
import {
  readServerFile,
  removeServerFile,
  writeServerFile,
} from "../../src/gateway/server-file.ts";
import { temporaryFolder } from "./support.ts";

// Goal: one process holds a data folder, and a folder stays with its clock and account for ever.
// Method: a second process holds the folder and is killed.

const facts = { clock: "system", accountId: "123456789012", region: "us-east-1", now: 0 } as const;

const holderScript = `
import { openDataFolder } from ${JSON.stringify(new URL("../../src/gateway/data-folder.ts", import.meta.url).href)};
globalThis.held = openDataFolder({ ...${JSON.stringify(facts)}, path: process.argv[1] });
console.log("held");
setInterval(() => {}, 1000);
`;

test("a folder held by another process is refused; kill -9 of it frees the folder", async (t) => {
  const path = join(temporaryFolder(t), "data");
  const holder = spawn(process.execPath, ["--input-type=module", "-e", holderScript, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  const server = { pid: holder.pid ?? 0, httpsUrl: "https://x", httpUrl: null, caFile: null };
  writeServerFile(path, { ...server, region: "us-east-1", accountId: facts.accountId });
  const holds = new RegExp(`another server \\(pid ${holder.pid}\\) holds the data folder`);
  assert.throws(() => openDataFolder({ ...facts, path }), holds);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const folder = openDataFolder({ ...facts, path });
  assert.equal(readServerFile(path), undefined, "what the killed server left is gone");
  assert.throws(() => openDataFolder({ ...facts, path }), DataFolderError, "also in one process");
  folder.close();
  openDataFolder({ ...facts, path }).close();
});

test("the folder is private, also where it was there before", (t) => {
  const path = join(temporaryFolder(t), "data");
  mkdirSync(path);
  chmodSync(path, 0o755);
  const folder = openDataFolder({ ...facts, path });
  t.after(() => folder.close());
  assert.equal(statSync(path).mode & 0o777, 0o700);
  for (const file of ["installation.json", "lock"]) assert.ok(existsSync(join(path, file)), file);
  assert.equal(existsSync(join(path, "lock-journal")), false);
});

test("a folder belongs to one clock and one account for ever", (t) => {
  const path = temporaryFolder(t);
  const first = openDataFolder({ ...facts, path, clock: "virtual" });
  assert.equal(first.fresh, true);
  first.saveClockOffset(4_000);
  first.saveClockOffset(5_000);
  first.close();
  assert.throws(() => openDataFolder({ ...facts, path }), /belongs to the virtual clock for ever/);
  const other = { ...facts, path, clock: "virtual", accountId: "999999999999" } as const;
  assert.throws(() => openDataFolder(other), /belongs to the operator account 123456789012/);
  const again = openDataFolder({ ...facts, path, clock: "virtual", region: "eu-west-1" });
  t.after(() => again.close());
  assert.equal(again.fresh, false);
  assert.equal(again.clockOffsetMs, 5_000);
  assert.deepEqual(again.installation, first.installation);
});

test("damaged files are named, not guessed at", (t) => {
  const path = temporaryFolder(t);
  for (const text of ["{", "null", "[]", '{"clock":"sundial"}']) {
    writeFileSync(join(path, "installation.json"), text);
    assert.throws(
      () => openDataFolder({ ...facts, path }),
      /installation\.json .* is damaged/,
      text,
    );
  }
});

test("server.json holds what clients need while the server runs", (t) => {
  const path = temporaryFolder(t);
  const file = {
    pid: 1,
    httpsUrl: "https://127.0.0.1:4566",
    httpUrl: "http://127.0.0.1:4566",
    caFile: join(path, "ca.pem"),
    region: "us-east-1",
    accountId: facts.accountId,
  };
  writeServerFile(path, file);
  assert.deepEqual(readServerFile(path), file);
  removeServerFile(path);
  removeServerFile(path);
  assert.equal(readServerFile(path), undefined);
});
