// Goal: a store thread that dies, or a file that is damaged, ends in a clear fault for everyone
// who waits, and never in silence.
// Method: threads that misbehave, handed in as the entry; a file damaged on disk.
import { equal, rejects } from "node:assert/strict";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import {
  claimFrom,
  commit,
  countsOf,
  insertInto,
  messageNamed,
  queueNamed,
  queueWith,
  sealedUnder,
} from "./contract/fixtures.ts";
import { newFolder, newPath, storeAt } from "./folder.ts";

const isFault = (kind: string) => (error: unknown) => error instanceof Fault && error.kind === kind;

function entryWith(program: string): URL {
  const file = join(newFolder(), "entry.mjs");
  writeFileSync(file, program);
  return pathToFileURL(file);
}

test("a thread that dies rejects what waits and what comes, and says that it failed", async () => {
  const entry = entryWith(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", () => process.exit(1));
    parentPort.postMessage({ kind: "open" });
  `);
  const store = await openSqliteStore({ path: ":memory:", log: silentLog, entry });
  const waiting = [store.query(countsOf(queueNamed(), 1)), commit(store, { kind: "any" })];
  const results = await Promise.allSettled(waiting);
  equal(
    results.every(
      (result) => result.status === "rejected" && isFault("store-failed")(result.reason),
    ),
    true,
  );
  equal((await store.failed).kind, "store-failed");
  await rejects(store.query(countsOf(queueNamed(), 1)), isFault("store-failed"));
  await store.close();
});

test("a thread that throws while it starts fails the opening", async () => {
  const entry = entryWith(`throw new Error("no start");`);
  const opening = openSqliteStore({ path: ":memory:", log: silentLog, entry });
  await rejects(opening, isFault("store-failed"));
});

test("a damaged file is a fault, and the store does not go on with it", async (context) => {
  const path = newPath();
  const first = await storeAt(context, path);
  const queue = await queueWith(first);
  const sealed = sealedUnder("key-1", "x".repeat(5000));
  for (let turn = 0; turn < 20; turn += 1) {
    await commit(first, insertInto(queue, messageNamed(`m${turn}`, "key-1", 1, { sealed })));
  }
  await first.close();
  const file = openSync(path, "r+");
  // All but the first page, which names the format.
  writeSync(file, Buffer.alloc(400_000, 0xaa), 0, 400_000, 8192);
  closeSync(file);
  await rejects(
    async () => {
      const store = await storeAt(context, path);
      try {
        await commit(store, claimFrom(queue, 10, "c1"));
      } finally {
        await store.close();
      }
    },
    (error) => isFault("store-corrupt")(error) || isFault("store-failed")(error),
  );
});
