// Goal: several threads ask one store thread. What they ask at the same time is one transaction,
// each gets its own answers in its own order, and what one changes of the configuration is known
// to the others before its answer is there.
// Method: several clients of one real store thread, by ports of their own, in this thread.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Command } from "../../src/kernel/command.ts";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { versionMemory, versionReader, versionWriter } from "../../src/kernel/version-log.ts";
import { openSqliteStore, sqliteStoreOn } from "../../src/stores/sqlite/open.ts";
import {
  accountId,
  commit,
  countsOf,
  insertInto,
  messageNamed,
  queueWith,
} from "./contract/fixtures.ts";
import { newPath } from "./folder.ts";
import { committedTransactions } from "./wal.ts";

async function twoAskers(t: TestContext) {
  const path = newPath();
  const versions = versionMemory();
  const first = await openSqliteStore({ path, log: silentLog, versions });
  const second = sqliteStoreOn(first.portFor(1), silentLog);
  t.after(async () => {
    await second.close();
    await first.close();
  });
  return { path, versions, first, second };
}

function putRecord(id: string, version: number): Command {
  const key = { accountId, region: "", kind: "test", id };
  const record = { ...key, version, content: "{}", mac: Buffer.alloc(32) };
  return { kind: "record.put", record } as Command;
}

test("what two threads ask in one turn is one transaction, and each gets its answers", async (t) => {
  const { path, first, second } = await twoAskers(t);
  const queue = await queueWith(first);
  const before = committedTransactions(path);
  const asks = Array.from({ length: 64 }, (_, index) => {
    const store = index % 2 === 0 ? first : second;
    return commit(store, insertInto(queue, messageNamed(`m${index}`, "key-1", 1)));
  });
  const [one, two] = await Promise.all([
    first.query(countsOf(queue, 1)),
    second.query(countsOf(queue, 1)),
    ...asks,
  ]);
  ok(committedTransactions(path) - before <= 2);
  equal(Math.max(one.visible, two.visible), 64);
});

test("a change is known to the others before its answer is there, and not told to its asker", async (t) => {
  const { versions, first, second } = await twoAskers(t);
  const seen: string[] = [];
  const readers = [0, 1].map((asker) => versionReader(versions, asker));
  const look = (asker: number) =>
    readers[asker]?.((account, version) => seen.push(`${asker} hears ${account} ${version}`));
  await first.commit({ decidedUnder: [], commands: [putRecord("a", 1)] });
  look(0);
  look(1);
  await second.commit({ decidedUnder: [], commands: [putRecord("b", 2)] });
  look(0);
  look(1);
  deepEqual(seen, [`1 hears ${accountId} 1`, `0 hears ${accountId} 2`]);
});

test("the twin: what changes nothing is not told", async (t) => {
  const { versions, first, second } = await twoAskers(t);
  const read = versionReader(versions, 0);
  const queue = await queueWith(second);
  await commit(second, insertInto(queue, messageNamed("m", "key-1", 1)));
  await first.query(countsOf(queue, 1));
  read(() => {
    throw new Error("nothing was changed");
  });
});

test("who slept too long is told that anything may have changed", () => {
  const memory = versionMemory();
  const write = versionWriter(memory);
  const read = versionReader(memory, 0);
  const heard: number[] = [];
  const hear = () => read((_account, version) => heard.push(version));
  for (let version = 1; version <= 1000; version += 1) write({ accountId, version, asker: 1 });
  equal(hear(), true);
  deepEqual(
    heard,
    Array.from({ length: 1000 }, (_, index) => index + 1),
  );
  for (let version = 1; version <= 1024; version += 1) write({ accountId, version, asker: 1 });
  equal(hear(), false);
  equal(heard.length, 1000);
  equal(hear(), true);
});

test("a port that closes leaves the store to the others", async (t) => {
  const { first, second } = await twoAskers(t);
  const queue = await queueWith(second);
  await commit(second, insertInto(queue, messageNamed("m", "key-1", 1)));
  const last = second.query(countsOf(queue, 1));
  await second.close();
  equal((await last).visible, 1);
  await rejects(second.query(countsOf(queue, 1)), Fault);
  equal((await first.query(countsOf(queue, 1))).visible, 1);
});
