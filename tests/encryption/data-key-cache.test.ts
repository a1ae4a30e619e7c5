// Goal: a data key is old at exactly its period, one fetch serves all who wait, and what leaves the
// cache is wiped. Method: the cache alone, with time and fetches in hand.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import { type CachedDataKey, DataKeyCache } from "../../src/sealing/data-key-cache.ts";

const periodMs = 300_000;

function scene(limits?: ConstructorParameters<typeof DataKeyCache>[0]) {
  const left: number[] = [];
  const cache = new DataKeyCache<number>(limits, ({ facts }) => left.push(facts));
  const made: Buffer[] = [];
  const at = async (nowMs: number, over: { fetch?: () => Promise<CachedDataKey<number>> } = {}) =>
    cache.with({
      name: "queue key user",
      nowMs,
      reuseMs: periodMs,
      uses: 1,
      bytes: 10,
      fetch: async () => {
        const plaintext = Buffer.alloc(32, made.length + 1);
        made.push(plaintext);
        return { plaintext, facts: made.length, fetchedMs: nowMs, keyArn: "key" };
      },
      use: ({ facts, plaintext }) => {
        equal(plaintext[0], facts, "a wiped key never seals");
        return facts;
      },
      ...over,
    });
  return { cache, made, at, left };
}

const isWiped = (key: Buffer | undefined) => key?.every((byte) => byte === 0);

test("a key serves below its period and is old at age = period; the old one is wiped", async () => {
  const { at, made, left, cache } = scene();
  deepEqual([await at(0), await at(periodMs - 1), await at(periodMs)], [1, 1, 2]);
  deepEqual(made.map(isWiped), [true, false]);
  deepEqual(left, [1], "who holds copies is told");
  cache.forget("key");
  deepEqual([await at(0), left], [3, [1, 2]]);
  cache.clear();
  deepEqual(left, [1, 2, 3]);
});

test("many who wait share one fetch", async () => {
  const { at, made } = scene();
  deepEqual(await Promise.all([at(0), at(0), at(0)]), [1, 1, 1]);
  equal(made.length, 1);
});

test("a key is spent after its uses, whatever its age", async () => {
  const { at } = scene({ usesMax: 2, bytesMax: 1e9, entriesMax: 10 });
  deepEqual([await at(0), await at(0), await at(0)], [1, 1, 2]);
});

test("refused at the end of the period: the key is gone; out of reach: it goes on", async () => {
  const { at, made } = scene();
  await at(0);
  const unreachable = () => Promise.reject(new Fault("key-process-unavailable", "away"));
  equal(await at(periodMs, { fetch: unreachable }), 1, "the KMS is away");
  const denied = () => Promise.reject(new Refusal("AccessDeniedException", "no"));
  await rejects(at(periodMs, { fetch: denied }), Refusal);
  equal(isWiped(made[0]), true);
  await rejects(at(periodMs, { fetch: unreachable }), Fault, "nothing is left to go on with");
});

test("forgotten: wiped at once, and so is what was being fetched meanwhile", async () => {
  const { at, made, cache } = scene();
  await at(0);
  cache.forget("another key");
  equal(isWiped(made[0]), false);
  cache.forget("key");
  deepEqual([isWiped(made[0]), cache.size], [true, 0]);
  let arrive = (_key: CachedDataKey<number>) => {};
  const slow = new Promise<CachedDataKey<number>>((resolve) => {
    arrive = resolve;
  });
  const waiting = at(0, { fetch: () => slow }).catch((error: unknown) => error);
  cache.forget("key");
  const late = Buffer.alloc(32, 9);
  made.push(late);
  arrive({ plaintext: late, facts: 9, fetchedMs: 0, keyArn: "key" });
  // The same fetch answers a second time with the wiped buffer: `use` would notice it.
  await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve))]);
  equal(isWiped(late), true);
});

test("bounded in number: the oldest goes, wiped", async () => {
  const { cache } = scene({ usesMax: 9, bytesMax: 1e9, entriesMax: 2 });
  const made: Buffer[] = [];
  for (const name of ["a", "b", "c"]) {
    const plaintext = Buffer.alloc(32, 7);
    made.push(plaintext);
    const fetch = async () => ({ plaintext, facts: 0, fetchedMs: 0, keyArn: "key" });
    const use = () => undefined;
    await cache.with({ name, nowMs: 0, reuseMs: 1, uses: 1, bytes: 1, fetch, use });
  }
  deepEqual([cache.size, ...made.map(isWiped)], [2, true, false, false]);
});
