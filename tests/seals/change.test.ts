import { deepEqual, equal, match, notDeepEqual, ok } from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { filesHolding } from "./files.ts";
import { fill, folderFor, opensAll, sealVerb, serve } from "./scene.ts";

// Goal: the root key and its seal change without anything that they guard being lost or touched.
// Method: a whole server with a key, a ciphertext and a sealed message; change the seal by the
// command line; start again with the new seal, and (twin) with the old one.

const passphrase = { SEALPOST_SEAL_PASSPHRASE: "correct horse battery staple" };

test("seal rotate: another root key, all opens, the old one opens nothing", async (t) => {
  const folder = folderFor(t);
  const first = await serve(folder);
  const scene = await fill(first);
  await first.stop();
  const old = readFileSync(join(folder, "root.key"));
  const { code, text } = await sealVerb(["rotate"], folder);
  equal(code, 0, text);
  match(text, /root key [0-9a-f]{16} → [0-9a-f]{16}\nsealed by file as before/);
  notDeepEqual(readFileSync(join(folder, "root.key")), old);
  equal(existsSync(join(folder, "root.key.next")), false);
  const second = await serve(folder);
  await opensAll(second, scene);
  await second.stop();
  writeFileSync(join(folder, "root.key"), old);
  await refusedStart(folder, /does not open this data folder/);
});

test("seal migrate: from the file to a passphrase, to the environment, and back", async (t) => {
  const folder = folderFor(t);
  const first = await serve(folder);
  const scene = await fill(first);
  await first.stop();
  const told = await sealVerb(["migrate", "--to", "passphrase"], folder, passphrase);
  equal(told.code, 0, told.text);
  equal(existsSync(join(folder, "root.key")), false);
  const second = await serve(folder, { seal: "passphrase" }, passphrase);
  await opensAll(second, scene);
  await second.stop();
  await refusedStart(folder, /sealed by passphrase: start it with --seal passphrase/);

  const root = { SEALPOST_ROOT_KEY: "0123456789abcdef".repeat(4) };
  const both = { ...passphrase, ...root };
  equal((await sealVerb(["migrate", "--to", "env"], folder, both)).code, 0);
  const third = await serve(folder, { seal: "env" }, root);
  await opensAll(third, scene);
  await third.stop();
  const other = { SEALPOST_ROOT_KEY: "f".repeat(64) };
  await refusedStart(folder, /does not open/, { seal: "env" }, other);

  const back = await sealVerb(["migrate", "--to", "file", "--format", "json"], folder, root);
  const { from, to, oldFingerprint, fingerprint } = JSON.parse(back.text);
  deepEqual([from, to], ["env", "file"]);
  notDeepEqual(oldFingerprint, fingerprint);
  const last = await serve(folder);
  await opensAll(last, scene);
  await last.stop();
});

test("a new passphrase: the old one is wrong afterwards, a short one is refused", async (t) => {
  const folder = folderFor(t);
  const first = await serve(folder, { seal: "passphrase" }, passphrase);
  const scene = await fill(first);
  await first.stop();
  const change = (fresh: string) =>
    sealVerb(["migrate", "--to", "passphrase"], folder, {
      ...passphrase,
      SEALPOST_SEAL_NEW_PASSPHRASE: fresh,
    });
  const short = await change("too short");
  equal(short.code, 1);
  match(short.text, /at least 12 characters/);
  equal((await change("another passphrase entirely")).code, 0);
  await refusedStart(folder, /passphrase does not open/, { seal: "passphrase" }, passphrase);
  const file = join(folder, "passphrase.txt");
  writeFileSync(file, "another passphrase entirely\n", { mode: 0o600 });
  const second = await serve(folder, { seal: "passphrase", sealPassphraseFile: file });
  await opensAll(second, scene);
  await second.stop();
});

test("after a rotation no earlier sealed ring is left in the folder", async (t) => {
  const folder = folderFor(t);
  const first = await serve(folder);
  await first.stop();
  // The check value of the ring names its root key; it stands right behind the format.
  const before = ringHead(folder);
  ok(filesHolding(folder, before).length > 0, "the search finds a ring that is there");
  equal((await sealVerb(["rotate"], folder)).code, 0);
  deepEqual(filesHolding(folder, before), []);
});

test("a folder that a server holds, or that is none, is left alone", async (t) => {
  const folder = folderFor(t);
  const none = await sealVerb(["rotate"], join(folder, "absent"));
  deepEqual([none.code, existsSync(join(folder, "absent"))], [1, false]);
  const server = await serve(folder);
  const { code, text } = await sealVerb(["rotate"], folder);
  await server.stop();
  equal(code, 1);
  match(text, /holds|another process|in use/i);
});

test("the key process's log of uses is whole, and a changed line is found", async (t) => {
  const folder = folderFor(t);
  const first = await serve(folder);
  await fill(first);
  await first.stop();
  const whole = await sealVerb(["check-uses", "--format", "json"], folder);
  deepEqual([whole.code, JSON.parse(whole.text).brokenLine], [0, null], whole.text);
  ok(JSON.parse(whole.text).lines > 0);
  const path = join(folder, "key-uses.log");
  writeFileSync(path, readFileSync(path, "utf8").replace('"encrypt"', '"decrypt"'));
  const changed = await sealVerb(["check-uses"], folder);
  equal(changed.code, 1);
  match(changed.text, /^line \d+ of \d+ does not follow/);
});

async function refusedStart(
  folder: string,
  reason: RegExp,
  flags: Readonly<Record<string, unknown>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const started = serve(folder, flags, environment);
  const error: unknown = await started.then(
    async (server) => {
      await server.stop();
      return undefined;
    },
    (failure: unknown) => failure,
  );
  ok(error instanceof Error, "the start is refused");
  match(error.message, reason);
}

function ringHead(folder: string): Buffer {
  const database = readFileSync(join(folder, "sealpost.db"));
  const at = database.indexOf("SPKR\u0001");
  ok(at > 0);
  return Buffer.from(database.subarray(at, at + 37));
}
