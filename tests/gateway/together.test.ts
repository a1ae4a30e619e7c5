// Goal: what comes in one turn is done together, in order, once, and soon. Method: acts noted beside
// the turns of the event loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { together } from "../../src/gateway/together.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("gathered in a turn, done at its end, in order", async () => {
  const done: number[] = [];
  const add = together<number>((item) => done.push(item));
  add(1);
  add(2);
  assert.deepEqual(done, [], "not at once");
  await turn();
  assert.deepEqual(done, [1, 2]);
  await turn();
  assert.deepEqual(done, [1, 2], "once");
});

test("what an act adds is for the next turn, so that the network gets its turn too", async () => {
  const done: number[] = [];
  const add = together<number>((item) => {
    done.push(item);
    if (item < 3) add(item + 1);
  });
  add(1);
  await turn();
  assert.deepEqual(done, [1]);
  await turn();
  await turn();
  assert.deepEqual(done, [1, 2, 3]);
});

test("a crowd is done some at a time, and the network gets its turn in between", async () => {
  const done: number[] = [];
  const add = together<number>((item) => done.push(item));
  for (let item = 0; item < 25; item += 1) add(item);
  await turn();
  assert.equal(done.length, 10);
  add(25);
  await turn();
  assert.equal(done.length, 20);
  await turn();
  assert.deepEqual(done, [...Array(26).keys()]);
});
