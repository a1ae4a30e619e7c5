// Goal: messages that were never hidden are each received once, in order, whatever stands between:
// a restart, messages beyond retention before them, a clock that goes back. Method: through the
// contract; that they have no state, which all this is for, is read from the file.
import { deepEqual, equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { QueueIdentity } from "../../src/services/sqs/store.ts";
import type { SqliteStore } from "../../src/stores/sqlite/open.ts";
import {
  claimFrom,
  commit,
  countsOf,
  insertInto,
  messageNamed,
  queueWith,
} from "./contract/fixtures.ts";
import { newPath, storeAt } from "./folder.ts";

interface Place {
  readonly path: string;
  readonly store: SqliteStore;
  readonly queue: QueueIdentity;
}

async function opened(context: TestContext): Promise<Place> {
  const path = newPath();
  const store = await storeAt(context, path);
  return { path, store, queue: await queueWith(store) };
}

/** Messages m0, m1, … one each millisecond from a time on. */
async function send({ store, queue }: Place, count: number, sentMs: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const name = `m${sentMs + index}`;
    await commit(store, insertInto(queue, messageNamed(name, "key-1", sentMs + index)));
  }
}

let claims = 0;

async function receive(
  { queue }: Place,
  store: SqliteStore,
  nowMs: number,
  count: number,
  retainedSinceMs = 0,
): Promise<readonly string[]> {
  claims += 1;
  const claim = claimFrom(queue, nowMs, `claim-${claims}`);
  const visibleAgainMs = nowMs + 1_000_000;
  const [{ messages }] = await commit(store, { ...claim, count, retainedSinceMs, visibleAgainMs });
  return messages.map(({ messageId }) => messageId);
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `m${from + index}`);

test("a restart goes on where it was", async (context) => {
  const place = await opened(context);
  await send(place, 30, 100);
  deepEqual(await receive(place, place.store, 1000, 10), names(100, 110));
  await place.store.close();
  const again = await storeAt(context, place.path);
  deepEqual(await receive(place, again, 1000, 15), names(110, 125));
  deepEqual(await receive(place, again, 1000, 15), names(125, 130));
  deepEqual(await receive(place, again, 1000, 15), []);
});

test("sends before and behind the last received one are both found", async (context) => {
  const place = await opened(context);
  const { store } = place;
  await send(place, 4, 100);
  deepEqual(await receive(place, store, 1000, 2), names(100, 102));
  // The clock went back.
  await send(place, 1, 50);
  await send(place, 1, 104);
  deepEqual(await receive(place, store, 1000, 10), ["m50", "m102", "m103", "m104"]);
});

test("what is beyond retention is passed over, and there when retention is longer", async (context) => {
  const place = await opened(context);
  const { store } = place;
  await send(place, 20, 100);
  deepEqual(await receive(place, store, 1000, 3, 105), names(105, 108));
  deepEqual(await receive(place, store, 1000, 3, 106), names(108, 111));
  deepEqual(await receive(place, store, 1000, 3, 100), names(100, 103));
  deepEqual(await receive(place, store, 1000, 3, 104), ["m104", "m111", "m112"]);
  deepEqual(await receive(place, store, 1000, 20, 0), ["m103", ...names(113, 120)]);
  await send(place, 2, 120);
  deepEqual(await receive(place, store, 1000, 20, 110), names(120, 122));
});

test("before their time they are delayed", async (context) => {
  const place = await opened(context);
  await send(place, 3, 100);
  const counts = await place.store.query(countsOf(place.queue, 101));
  deepEqual(counts, { visible: 2, inFlight: 0, delayed: 1 });
  deepEqual(await receive(place, place.store, 101, 10), ["m100", "m101"]);
  deepEqual(await receive(place, place.store, 102, 10), ["m102"]);
});

test("only what was received has a state", async (context) => {
  const place = await opened(context);
  await send(place, 5, 100);
  await receive(place, place.store, 1000, 2);
  await place.store.close();
  const database = new DatabaseSync(place.path);
  const row = database.prepare("SELECT count(*) AS count FROM message_states").get();
  database.close();
  equal(row?.count, 2);
});
