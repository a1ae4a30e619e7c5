// Goal: a listing is read once for as long as nothing changes it, however many others there are,
// and what all of them hold is bounded. Method: count the reads; the twins have room for less, or
// change something that the listing is of.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { type Listing, Listings } from "../../src/state/listings.ts";

const kind = { accountId: "111122223333", region: "us-east-1", kind: "subscription" };

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

test("a change of one topic's subscriptions leaves the listings of all others", async () => {
  const { listings, ask, askAll, reads } = scene(100_000);
  await askAll(100);
  listings.forget({ ...kind, id: "17/some-subscription" });
  listings.forget({ ...kind, id: "1" });
  listings.forget({ ...kind, kind: "grant", id: "18/x" });
  equal(await askAll(100), 1);
  await ask("1/7");
  listings.forget({ ...kind, id: "1/7/x" });
  await ask(1);
  await ask("1/7");
  equal(reads(), 4, "all whose beginning the id has were read again");
});

test("pages, and listings of everything, go with any change of the kind", async () => {
  const { listings } = scene(100_000);
  const listed = async (range: object) => {
    let reads = 0;
    await listings.get({ ...kind, ...range }, async () => {
      reads++;
      return [];
    });
    return reads;
  };
  const ranges = [{}, { limit: 5 }, { afterId: "x" }, { idPrefix: "2/", limit: 5 }];
  for (const range of ranges) equal(await listed(range), 1);
  for (const range of ranges) equal(await listed(range), 0);
  listings.forget({ ...kind, id: "1/a" });
  for (const range of ranges) equal(await listed(range), 1);
  listings.forget({ ...kind, kind: "grant", id: "1/a" });
  for (const range of ranges) equal(await listed(range), 0);
  listings.forgetAll(`${kind.accountId}\0`);
  for (const range of ranges) equal(await listed(range), 1);
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

test("beyond the bound pages go before what the others of their kind hold in all", async () => {
  const { listings, ask, reads } = scene(12, 3);
  await ask("a");
  await listings.get({ ...kind, limit: 1 }, async () => [{ id: "x", value: {} }]);
  await ask("b");
  await ask("a");
  equal(reads(), 2);
  await ask("c");
  await ask("b");
  await ask("c");
  equal(reads(), 3);
  await ask("a");
  equal(reads(), 3);
});

test("a listing that was forgotten while it was read is not kept, and weighs nothing", async () => {
  const { listings, ask, reads } = scene(8, 3);
  const underWay = ask("a");
  listings.forget({ ...kind, id: "a/1" });
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
