// Goal: a listing is read once for as long as nothing changes it, however many others there are,
// and what all of them hold is bounded. Method: count the reads; the twin has room for less.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { type Listing, Listings } from "../../src/state/listings.ts";

const kind = { accountId: "111122223333", region: "us-east-1", kind: "subscription" };
const group = `${kind.accountId}\0${kind.region}\0${kind.kind}`;

function scene(weightMax: number, entries = 1) {
  const listings = new Listings(weightMax);
  const listing: Listing = Array.from({ length: entries }, (_, at) => ({ id: `${at}`, value: {} }));
  let reads = 0;
  const ask = (topic: number | string, of = kind.kind) =>
    listings.get({ ...kind, kind: of, idPrefix: `${topic}/` }, async () => {
      reads++;
      return listing;
    });
  const askAll = async (topics: number) => {
    reads = 0;
    for (let topic = 0; topic < topics; topic++) await ask(topic);
    return reads;
  };
  return { listings, ask, askAll, listing, reads: () => reads };
}

test("the subscriptions of 10,000 topics are listed once each", async () => {
  const { askAll } = scene(20_000);
  equal(await askAll(10_000), 10_000);
  equal(await askAll(10_000), 0);
});

test("twin: where less has room, topics in turn are listed again each time", async () => {
  const { askAll } = scene(19_000);
  equal(await askAll(10_000), 10_000);
  equal(await askAll(10_000), 10_000);
});

test("beyond the bound the group that was begun first goes", async () => {
  const { ask, reads } = scene(12, 3);
  await ask("a", "first");
  await ask("a", "second");
  await ask("a", "third");
  equal(reads(), 3);
  await ask("a", "fourth");
  await ask("a", "third");
  await ask("a", "second");
  equal(reads(), 4);
  await ask("a", "first");
  equal(reads(), 5);
});

test("a listing that was forgotten while it was read is not kept, and weighs nothing", async () => {
  const { listings, ask, reads } = scene(8, 3);
  const underWay = ask("a");
  listings.forget(group);
  await underWay;
  await ask("a");
  equal(reads(), 2);
  await ask("b");
  await ask("a");
  equal(reads(), 3);
});

test("a read that fails is not kept, and weighs nothing", async () => {
  const { listings, ask, listing, reads } = scene(8, 3);
  for (let time = 0; time < 20; time++) {
    const failing = listings.get({ ...kind, idPrefix: "a/" }, () =>
      Promise.reject(new Error("no")),
    );
    await rejects(async () => failing);
  }
  deepEqual(await ask("a"), listing);
  await ask("b");
  deepEqual(await ask("a"), listing);
  equal(reads(), 2);
});
