// Goal: what is there goes on at once, what will be there is waited for, and failures keep their way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { allSoon, eachSoon, isPromise, type Soon, soon, unless } from "../../src/kernel/soon.ts";

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

test("what fails at once or later is made something of in the same way", async () => {
  const fail = (): number => {
    throw new Error("no");
  };
  const said = (error: unknown) => String(error);
  assert.equal(
    unless<string | number>(() => 1, said),
    1,
  );
  assert.equal(unless<string | number>(fail, said), "Error: no");
  const later = unless<string | number>(async () => fail(), said);
  assert.ok(isPromise(later));
  assert.equal(await later, "Error: no");
  assert.throws(() => unless(fail, fail), /no/);
  await assert.rejects(Promise.resolve(unless(async () => fail(), fail)), /no/);
});

test("of many, one that throws at once lets the others begin, and nobody's failure is unheard", async () => {
  assert.deepEqual(
    eachSoon([1, 2], (value) => value + 1),
    [2, 3],
  );
  const begun: string[] = [];
  const all = eachSoon(["later", "now", "last"], (name): Soon<string> => {
    begun.push(name);
    if (name === "now") throw new Error(name);
    return Promise.reject(new Error(name));
  });
  // A rejection that nobody hears of would end the process, and this test with it.
  await assert.rejects(Promise.resolve(all), /later/);
  assert.deepEqual(begun, ["later", "now", "last"]);
});
