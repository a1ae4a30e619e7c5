// Goal: a full disk refuses writes with a fault that may pass, serves reads, damages nothing, and
// writes go on when there is space again.
// Method: a small file system of our own (where we may mount one), and SQLite's own page limit
// everywhere. The twin is the same filling with space enough: nothing is refused.
import { deepEqual, equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Store } from "../../src/kernel/command.ts";
import { Fault } from "../../src/kernel/errors.ts";
import type { QueueIdentity } from "../../src/services/sqs/store.ts";
import { openDatabase } from "../../src/stores/sqlite/database.ts";
import { type Asked, createGroupCommit } from "../../src/stores/sqlite/group.ts";
import {
  commit,
  countsOf,
  dataKeyNamed,
  insertInto,
  messageNamed,
  putDataKey,
  queueNamed,
  queueWith,
  sealedUnder,
} from "./contract/fixtures.ts";
import { newFolder, newPath, storeAt, unmountLater } from "./folder.ts";

/** A file system of 4 MiB, or undefined where we may not mount. */
function smallDisk(): string | undefined {
  const folder = newFolder();
  const options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder];
  if (process.getuid?.() !== 0 || spawnSync("mount", options).status !== 0) return undefined;
  unmountLater(folder);
  return folder;
}

/** 20 KiB each, in groups of four, until a group is refused or `most` are in. */
async function fill(store: Store, queue: QueueIdentity, most: number): Promise<FillResult> {
  let acknowledged = 0;
  while (acknowledged < most) {
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => insertLarge(store, queue)));
    const refused = results.find((result) => result.status === "rejected");
    acknowledged += results.filter((result) => result.status === "fulfilled").length;
    if (refused !== undefined) return { acknowledged, refused: refused.reason };
  }
  return { acknowledged, refused: undefined };
}

interface FillResult {
  readonly acknowledged: number;
  readonly refused: unknown;
}

async function insertLarge(store: Store, queue: QueueIdentity): Promise<void> {
  const sealed = sealedUnder("key-1", "x".repeat(20_000));
  await commit(store, insertInto(queue, messageNamed("large", "key-1", 1, { sealed })));
}

function integrityOf(path: string): unknown[] {
  const database = new DatabaseSync(path);
  // Else SQLite would want a file for the index of its log, for which there is no space either.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const found = database.prepare("PRAGMA integrity_check").all().map(Object.values);
  database.close();
  return found;
}

async function visibleIn(store: Store, queue: QueueIdentity): Promise<number> {
  return (await store.query(countsOf(queue, 10))).visible;
}

const disk = smallDisk();
const skip = disk === undefined ? "no right to mount a small file system" : false;

test("a full disk refuses, reads go on, space brings writes back", { skip }, async (context) => {
  const path = join(disk ?? "", "store.db");
  const ballast = join(disk ?? "", "ballast");
  writeFileSync(ballast, Buffer.alloc(1_500_000));
  const store = await storeAt(context, path);
  const queue = await queueWith(store);
  const first = await fill(store, queue, 1000);
  equal(first.refused instanceof Fault && first.refused.kind, "disk-full");
  equal(first.acknowledged > 0, true);
  equal(await visibleIn(store, queue), first.acknowledged);
  equal((await fill(store, queue, 4)).acknowledged, 0);
  rmSync(ballast);
  equal((await fill(store, queue, 4)).acknowledged, 4);
  // The log and what it stands for do not fit together: the store closes and opens on a full disk.
  await store.close();
  const again = await storeAt(context, path);
  equal(await visibleIn(again, queue), first.acknowledged + 4);
  await again.close();
  deepEqual(integrityOf(path), [["ok"]]);
});

test("the twin: on a disk with space the same filling is never refused", async (context) => {
  const store = await storeAt(context, newPath());
  const queue = await queueWith(store);
  const filled = await fill(store, queue, 400);
  deepEqual(filled, { acknowledged: 400, refused: undefined });
  await store.close();
});

test("a group that meets the limit is refused as a whole, and its queries answered", () => {
  const database = openDatabase(newPath());
  const carryOut = createGroupCommit(database);
  const queue = queueNamed();
  const small = insertInto(queue, messageNamed("small", "key-1", 1));
  const sealed = sealedUnder("key-1", "x".repeat(3_000_000));
  const large = insertInto(queue, messageNamed("large", "key-1", 1, { sealed }));
  const asked = (...commands: object[]): Asked => {
    const request = { decidedUnder: [], commands: commands as never };
    return { kind: "commit", request };
  };
  const query: Asked = { kind: "query", query: countsOf(queue, 10) };
  const kinds = (group: readonly Asked[]) =>
    carryOut(group).map((told) => (told.kind === "fault" ? told.fault : told.kind));
  const visible = () => {
    const [told] = carryOut([query]);
    return told?.kind === "value" ? (told.value as { visible: number }).visible : told;
  };
  deepEqual(kinds([asked(putDataKey(dataKeyNamed("key-1"))), asked(small), query]), [
    "value",
    "value",
    "value",
  ]);
  database.exec("PRAGMA max_page_count = 100");
  deepEqual(kinds([asked(small), query, asked(large)]), ["disk-full", "value", "disk-full"]);
  equal(visible(), 1);
  database.exec("PRAGMA max_page_count = 100000");
  deepEqual(kinds([asked(small), asked(large)]), ["value", "value"]);
  equal(visible(), 3);
  database.close();
});
