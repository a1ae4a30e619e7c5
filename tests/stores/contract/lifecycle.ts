import { deepEqual, equal } from "node:assert/strict";
import type { ClaimResult, CountSealedUnder, SealingKey } from "../../../src/services/sqs/store.ts";
import type { Contract } from "./fixtures.ts";
import {
  accountId,
  claimFrom,
  commit,
  countsOf,
  dataKeyNamed,
  insertInto,
  messageNamed,
  putDataKey,
  queueNamed,
  queueWith,
  region,
} from "./fixtures.ts";

const idsIn = (result: ClaimResult) => result.messages.map((message) => message.messageId);
const noMore = { visible: 0, inFlight: 0, delayed: 0 };

/** Claims as the commands that follow name them. */
const claimsIn = (result: ClaimResult, claimId: string) =>
  result.messages.map(({ sequence }) => ({ sequence, claimId }));

/** Moves, ends of queues, retention, counts over time, and the data keys that bodies hang on. */
export const lifecycleContract: Contract = {
  "a move keeps envelope, id, send time and count, and ends the claim": async (store) => {
    const queue = await queueWith(store, "m1", "m2");
    const to = queueNamed();
    const [claimed] = await commit(store, claimFrom(queue, 5000, "c1"));
    const [one, two] = claimed.messages.map((message) => message.sequence);
    const moving = (sequence = 0, claimId = "c1") => {
      const placeMac = Buffer.from("new mac");
      return { sequence, claimId, placeMac, deadLetterSourceArn: "arn:source" };
    };
    const messages = [moving(one), moving(two, "c0"), moving(2 ** 50)];
    const [moved] = await commit(store, {
      kind: "sqs.move",
      from: queue,
      to,
      nowMs: 6000,
      messages,
    });
    deepEqual(moved, { moved: 1 });
    deepEqual(await store.query(countsOf(to, 6000)), { ...noMore, visible: 1 });
    deepEqual(await store.query(countsOf(queue, 6000)), { ...noMore, inFlight: 1 });
    const [there] = await commit(store, claimFrom(to, 6000, "c2"));
    const [it] = there.messages;
    deepEqual(
      [it?.messageId, it?.sentMs, it?.receiveCount, it?.firstReceivedMs, it?.deadLetterSourceArn],
      ["m1", 1000, 2, 5000, "arn:source"],
    );
    equal(bytesOf(it?.bytes), bytesOf(Buffer.from("body of m1")));
    equal(bytesOf(it?.placeMac), bytesOf(Buffer.from("new mac")));
    equal(there.dataKeys[0]?.id, "key-1");
    const old = [{ sequence: one ?? 0, claimId: "c1" }];
    const [late] = await commit(store, { kind: "sqs.delete", queue, messages: old });
    deepEqual(late, ["absent"]);
  },

  "a discarded queue is empty at once and swept in steps": async (store) => {
    const queue = await queueWith(store, "m1", "m2", "m3");
    const kept = await queueWith(store, "kept");
    const [claimed] = await commit(store, claimFrom(queue, 5000, "c1", { count: 1 }));
    await commit(store, { kind: "sqs.discard", queue });
    deepEqual(await store.query(countsOf(queue, 5000)), noMore);
    equal(await store.query({ kind: "sqs.next-visible", queue, nowMs: 0 }), undefined);
    const messages = claimsIn(claimed, "c1");
    const [again, deleted] = await commit(
      store,
      claimFrom(queue, 90_000, "c2"),
      { kind: "sqs.delete", queue, messages },
      insertInto(queue, messageNamed("late", "key-1", 1)),
    );
    deepEqual([idsIn(again), deleted], [[], ["absent"]]);
    const sweep = { kind: "sqs.sweep", rowsMax: 2 } as const;
    deepEqual((await commit(store, sweep))[0], { removed: 2, more: true });
    deepEqual((await commit(store, sweep))[0], { removed: 1, more: false });
    deepEqual((await commit(store, sweep))[0], { removed: 0, more: false });
    deepEqual(await store.query(countsOf(queue, 90_000)), noMore);
    deepEqual(await store.query(countsOf(kept, 5000)), { ...noMore, visible: 1 });
  },

  "expiry takes the oldest, in steps": async (store) => {
    const queue = await queueWith(store, "m1", "m2", "m3");
    const expire = { kind: "sqs.expire", queue, sentBeforeMs: 1002, rowsMax: 1 } as const;
    await commit(store, claimFrom(queue, 5000, "c1", { count: 1 }));
    deepEqual((await commit(store, expire))[0], { removed: 1, more: true });
    deepEqual((await commit(store, expire))[0], { removed: 1, more: true });
    deepEqual((await commit(store, expire))[0], { removed: 0, more: false });
    deepEqual(await store.query(countsOf(queue, 5000)), { ...noMore, visible: 1 });
  },

  "counts follow the clock forth and back": async (store) => {
    const queue = await queueWith(store, "m1", "m2");
    await commit(
      store,
      insertInto(queue, messageNamed("m3", "key-1", 1000, { visibleAtMs: 8000 })),
      claimFrom(queue, 5000, "c1", { count: 1, visibleAgainMs: 6000 }),
    );
    const before = { visible: 1, inFlight: 1, delayed: 1 };
    deepEqual(await store.query(countsOf(queue, 5999)), before);
    deepEqual(await store.query(countsOf(queue, 6000)), { visible: 2, inFlight: 0, delayed: 1 });
    deepEqual(await store.query(countsOf(queue, 9000)), { visible: 3, inFlight: 0, delayed: 0 });
    deepEqual(await store.query(countsOf(queue, 5999)), before);
  },

  "messages are counted by the KMS key that they lie under": async (store) => {
    const keyArn = `arn:aws:kms:${region}:${accountId}:key/${queueNamed().queueId}`;
    const under = (id: string) => dataKeyNamed(id, { keyArn });
    const [one, two, gone] = [queueNamed(), queueNamed(), queueNamed()];
    const put = (queue: typeof one, id: string, key: string, sentMs: number) =>
      insertInto(queue, messageNamed(id, key, sentMs));
    const keys = [under("lies-1"), under("lies-2"), dataKeyNamed("another")].map(putDataKey);
    await commit(store, ...keys);
    await commit(store, put(one, "a", "lies-1", 5000), put(one, "b", "lies-2", 4000));
    await commit(store, put(one, "c", "another", 1000), put(two, "d", "lies-2", 6000));
    await commit(store, put(gone, "e", "lies-1", 1000), { kind: "sqs.discard", queue: gone });
    const asked = { kind: "sqs.sealed-under", accountId, region, keyArn } as const;
    const count = async (of: CountSealedUnder) =>
      (await store.query(of)).toSorted((a, b) => a.oldestSentMs - b.oldestSentMs);
    const inOne = { queueId: one.queueId, messages: 2, oldestSentMs: 4000 };
    const inTwo = { queueId: two.queueId, messages: 1, oldestSentMs: 6000 };
    deepEqual(await count(asked), [inOne, inTwo]);
    // What was received and deleted lies there no more.
    const [claimed] = await commit(store, claimFrom(two, 7000, "c1"));
    const messages = claimed.messages.map(({ sequence }) => ({ sequence, claimId: "c1" }));
    await commit(store, { kind: "sqs.delete", queue: two, messages });
    deepEqual(await count(asked), [inOne]);
    deepEqual(await count({ ...asked, region: "eu-north-1" }), []);
    const sealing = await store.query({ kind: "sqs.sealing-keys" });
    deepEqual(
      (sealing as readonly SealingKey[]).filter((key) => key.keyArn === keyArn),
      [{ keyArn, accountId, region }],
    );
  },

  "large bodies and texts beyond ASCII come back unchanged": async (store) => {
    const bytes = Buffer.alloc(1_100_000, 7);
    const queue = queueNamed();
    const sealed = { dataKeyId: "key-1", bytes } as never;
    const attributes = '{"ключ":"\u{1F511}\\u0000"}';
    await commit(
      store,
      putDataKey(dataKeyNamed("key-1")),
      insertInto(queue, messageNamed("large", "key-1", 1, { sealed, attributes })),
    );
    const [claimed] = await commit(store, claimFrom(queue, 2, "c1"));
    equal(Buffer.compare(claimed.messages[0]?.bytes ?? Buffer.alloc(0), bytes), 0);
    equal(claimed.messages[0]?.attributes, attributes);
  },

  "data keys stay as first put, and go when old and unused": async (store) => {
    const queue = await queueWith(store, "m1");
    const old = dataKeyNamed("unused", { createdMs: 500 });
    const young = dataKeyNamed("young", { createdMs: 3000 });
    const again = dataKeyNamed("key-1", { blob: Buffer.from("another") });
    await commit(store, putDataKey(old), putDataKey(young), putDataKey(again));
    const get = async (id: string) => {
      const key = await store.query({ kind: "data-key.get", accountId, region, id });
      return bytesOf((key as { blob: Uint8Array } | undefined)?.blob);
    };
    equal(await get("key-1"), bytesOf(Buffer.from("blob of key-1")));
    const sweep = { kind: "data-key.sweep", createdBeforeMs: 2000, rowsMax: 10 } as const;
    deepEqual((await commit(store, sweep))[0], { removed: 1 });
    deepEqual([await get("unused"), await get("young")].map(Boolean), [false, true]);
    // Still named by a message; once that is gone, swept.
    equal(await get("key-1"), bytesOf(Buffer.from("blob of key-1")));
    await commit(store, { kind: "sqs.discard", queue }, { kind: "sqs.sweep", rowsMax: 10 });
    deepEqual((await commit(store, sweep))[0], { removed: 1 });
    equal(await get("key-1"), "");
  },
};

function bytesOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : String(Uint8Array.from(bytes));
}
