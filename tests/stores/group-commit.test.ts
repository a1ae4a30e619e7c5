// Goal: what is asked together is one transaction, and what is asked apart is not.
// Method: counts the commit frames in the write-ahead log of a real file.
import { equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import {
  claimFrom,
  commit,
  countsOf,
  insertInto,
  messageNamed,
  queueWith,
} from "./contract/fixtures.ts";
import { newPath, storeAt } from "./folder.ts";
import { committedTransactions } from "./wal.ts";

const names = Array.from({ length: 64 }, (_, index) => `m${index}`);

test("64 inserts asked in one turn of the event loop are one transaction", async (context) => {
  const path = newPath();
  const store = await storeAt(context, path);
  const queue = await queueWith(store);
  const before = committedTransactions(path);
  const insert = (name: string) => commit(store, insertInto(queue, messageNamed(name, "key-1", 1)));
  await Promise.all(names.map(insert));
  equal(committedTransactions(path) - before, 1);
  equal((await store.query(countsOf(queue, 1))).visible, 64);
});

test("the twin: 64 inserts that wait for each other are 64 transactions", async (context) => {
  const path = newPath();
  const store = await storeAt(context, path);
  const queue = await queueWith(store);
  const before = committedTransactions(path);
  for (const name of names) {
    await commit(store, insertInto(queue, messageNamed(name, "key-1", 1)));
  }
  equal(committedTransactions(path) - before, 64);
});

test("queries and empty claims write nothing to the log", async (context) => {
  const path = newPath();
  const store = await storeAt(context, path);
  const queue = await queueWith(store);
  const before = committedTransactions(path);
  await commit(store, claimFrom(queue, 1, "c1"));
  await store.query(countsOf(queue, 1));
  equal(committedTransactions(path), before);
});

test("a failing commit costs its group a second run, not another transaction", async (context) => {
  const path = newPath();
  const store = await storeAt(context, path);
  const queue = await queueWith(store);
  const before = committedTransactions(path);
  const asks = names.map((name) => {
    const key = name === "m30" ? "no-such-key" : "key-1";
    return commit(store, insertInto(queue, messageNamed(name, key, 1)));
  });
  const failing = asks[30];
  equal(failing !== undefined, true);
  const rejected = rejects(Promise.resolve(failing), /data key of a message/);
  const settled = await Promise.allSettled(asks);
  await rejected;
  equal(settled.filter((result) => result.status === "fulfilled").length, 63);
  equal(committedTransactions(path) - before, 1);
});
