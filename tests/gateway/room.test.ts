// Goal: what is in work at the same time stays within its memory, in order, and nobody waits for
// ever. Method: the room alone with random sizes from a seed, and requests' hold on it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRoom } from "../../src/gateway/room.ts";
import { Work } from "../../src/gateway/work.ts";
import { isPromise } from "../../src/kernel/soon.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("room is given at once while there is some, then in order, whatever the sizes", async () => {
  const room = createRoom(10);
  assert.equal(room.take(6), 6, "at once");
  assert.equal(room.take(4), 4);
  const entered: string[] = [];
  const enter = async (name: string, bytes: number) => {
    await room.take(bytes);
    entered.push(name);
  };
  const all = [enter("large", 8), enter("small", 1)];
  room.giveBack(4);
  await turn();
  assert.deepEqual(entered, [], "the small one does not overtake");
  room.giveBack(6);
  await Promise.all(all);
  assert.deepEqual(entered, ["large", "small"]);
});

test("what is larger than all of it runs, alone", async () => {
  const room = createRoom(10);
  assert.equal(room.take(1), 1);
  const large = room.take(1000);
  assert.ok(isPromise(large));
  room.giveBack(1);
  assert.equal(await large, 10, "and gives back no more than there is");
  assert.ok(isPromise(room.take(1)));
});

test("random sizes and times: never more than the room, and all come through", async () => {
  const pieces = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 15 }), turns: fc.nat(3) }), {
    minLength: 1,
    maxLength: 40,
  });
  const holds = async (asked: readonly { readonly bytes: number; readonly turns: number }[]) => {
    const room = createRoom(10);
    let held = 0;
    let done = 0;
    const work = asked.map(async ({ bytes, turns }) => {
      const taken = await room.take(bytes);
      held += taken;
      assert.ok(held <= 10);
      for (let left = turns; left > 0; left -= 1) await turn();
      held -= taken;
      room.giveBack(taken);
      done += 1;
    });
    await Promise.all(work);
    assert.deepEqual([held, done], [0, asked.length]);
  };
  await fc.assert(fc.asyncProperty(pieces, holds));
});

test("a request holds what it reserved until it leaves, a part of it once packed", async () => {
  const room = createRoom(100);
  const first = new Work(room);
  await first.reserve(100);
  const second = new Work(room);
  const waiting = second.reserve(90);
  assert.ok(isPromise(waiting), "the twin: without leaving there is no room");
  first.packed();
  assert.ok(isPromise(new Work(room).reserve(1)), "87 are free, and 90 stand first");
  first.leaveRoom();
  await waiting;
  first.leaveRoom();
  const third = new Work(room);
  assert.ok(isPromise(third.reserve(100)), "nothing is given back twice");
});

test("who holds some, or a turn that others wait for, does not wait", async () => {
  const room = createRoom(10);
  const first = new Work(room);
  await first.reserve(10);
  assert.equal(first.reserve(10), undefined);
  const holder = new Work(room);
  holder.holdsTurn = true;
  assert.equal(holder.reserve(10), undefined);
  assert.ok(isPromise(new Work(room).reserve(10)), "the twin");
});
