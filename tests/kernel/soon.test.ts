// Goal: what is there goes on at once, what will be there is waited for, and failures keep their way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { allSoon, isPromise, soon } from "../../src/kernel/soon.ts";

test("a value that is there is gone on with in the same turn", () => {
  assert.equal(
    soon(1, (value) => value + 1),
    2,
  );
  assert.deepEqual(allSoon([1, 2]), [1, 2]);
});

test("a value that will be there is waited for", async () => {
  const later = soon(Promise.resolve(1), (value) => value + 1);
  assert.ok(isPromise(later));
  assert.equal(await later, 2);
  const all = allSoon([1, Promise.resolve(2)]);
  assert.ok(isPromise(all));
  assert.deepEqual(await all, [1, 2]);
});

test("what the next step throws is thrown at once, or rejects", async () => {
  const fail = () => {
    throw new Error("no");
  };
  assert.throws(() => soon(1, fail), /no/);
  await assert.rejects(Promise.resolve(soon(Promise.resolve(1), fail)), /no/);
  await assert.rejects(Promise.resolve(soon(Promise.reject(new Error("before")), fail)), /before/);
});
