import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "../../src/kernel/errors.ts";
import { fileSeal } from "../../src/seals/file.ts";
import { settleSeal } from "../../src/seals/seal.ts";
import { folderFor } from "./helpers.ts";

const unwrap = async (path: string, mayCreate = false): Promise<Buffer> => {
  const { rootKeys } = await fileSeal({ kind: "file", path, mayCreate }).unwrapRoot();
  const [first] = rootKeys;
  assert.ok(first);
  return first;
};

const fault = (kind: string, text: RegExp) => (error: unknown) =>
  error instanceof Fault && error.kind === kind && text.test(error.message);

// Goal: the root key is made once, for its owner alone, and read again as it was. Method: make it,
// look at the file, read it without leave to make one.
test("made at first use and kept", async (t) => {
  const folder = folderFor(t);
  const path = join(folder, "root.key");
  const made = await unwrap(path, true);
  settleSeal({ kind: "file", path, mayCreate: true }, 0);
  assert.equal(made.length, 32);
  assert.equal(fs.statSync(path).mode & 0o777, 0o600);
  assert.equal(fs.readFileSync(path, "utf8"), `sealpost root key 1\n${made.toString("hex")}\n`);
  assert.deepEqual(fs.readdirSync(folder), ["root.key"]);
  assert.deepEqual(await unwrap(path), made);
  assert.deepEqual(await unwrap(path, true), made);
});

// Goal: a lost root key is never replaced in silence. Method: no file, no leave; with leave (the
// twin) one is made.
test("a missing root key is an error where a store exists", async (t) => {
  const path = join(folderFor(t), "root.key");
  await assert.rejects(unwrap(path), fault("root-key-missing", /no root key at .*restore/));
  assert.ok(!fs.existsSync(path));
  await unwrap(path, true);
  assert.ok(fs.existsSync(path));
});

// Goal: a draft that a crash left behind is no obstacle and no root key.
test("a crash while making it leaves nothing that counts", async (t) => {
  const path = join(folderFor(t), "root.key");
  fs.writeFileSync(`${path}.new`, "sealpost root key 1\n0011");
  const made = await unwrap(path, true);
  assert.deepEqual(await unwrap(path), made);
  assert.ok(!fs.existsSync(`${path}.new`));
});

// Goal: a root key that others can reach is refused with the way to mend it. Method: every bit for
// group and others; modes for the owner alone (the twin) pass.
test("loose modes are refused", async (t) => {
  const path = join(folderFor(t), "root.key");
  await unwrap(path, true);
  for (const bit of [0o001, 0o002, 0o004, 0o010, 0o020, 0o040]) {
    fs.chmodSync(path, 0o600 | bit);
    await assert.rejects(unwrap(path), fault("root-key-exposed", /mode 06.*chmod 600 .*root\.key/));
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    fs.chmodSync(path, mode);
    assert.equal((await unwrap(path)).length, 32);
  }
});

// Goal: a root key of another user is refused. Method: give the file away, which only root can.
test("a foreign owner is refused", {
  skip: process.geteuid?.() === 0 ? false : "only root can give a file away",
}, async (t) => {
  const path = join(folderFor(t), "root.key");
  await unwrap(path, true);
  fs.chownSync(path, 12_345, 12_345);
  await assert.rejects(unwrap(path), fault("root-key-exposed", /belongs to user 12345.*chown 0 /));
});

// Goal: only a whole root key counts. Method: forms that people and editors make of it.
test("damaged files are refused, harmless edits are not", async (t) => {
  const path = join(folderFor(t), "root.key");
  const made = await unwrap(path, true);
  const hex = made.toString("hex");
  const bad = [
    "",
    hex,
    `sealpost root key 2\n${hex}\n`,
    `sealpost root key 1\n${hex.slice(1)}\n`,
    `sealpost root key 1\n${hex}0\n`,
    `sealpost root key 1\n${hex}\n\n`,
    `sealpost root key 1\n${hex.slice(1)}g\n`,
    `sealpost root key 1\r\n${hex}\r\n`,
  ];
  for (const text of bad) {
    fs.writeFileSync(path, text);
    await assert.rejects(unwrap(path), fault("root-key-damaged", /is not a root key/), text);
  }
  for (const text of [
    `sealpost root key 1\n${hex}`,
    `sealpost root key 1\n${hex.toUpperCase()}\n`,
  ]) {
    fs.writeFileSync(path, text);
    assert.deepEqual(await unwrap(path), made);
  }
  fs.rmSync(path);
  fs.mkdirSync(path, { mode: 0o700 });
  await assert.rejects(unwrap(path), fault("root-key-damaged", /not a file/));
});

// Goal: what the system says reaches the person who starts the server.
test("a folder that is not there", async (t) => {
  const path = join(folderFor(t), "absent", "root.key");
  await assert.rejects(unwrap(path, true), fault("root-key-unreadable", /ENOENT.*absent/));
});
