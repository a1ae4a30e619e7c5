// Goal: the embedded store's thread seals what comes to it unsealed, under the key that it was
// given, before anything is stored; without the key nothing is stored, and the commit is decided
// again. Method: a store with its real thread; envelopes are opened here, the file is searched.
import { deepEqual, equal } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { openBody } from "../../src/crypto/envelope.ts";
import { HmacKey } from "../../src/crypto/hmac.ts";
import { envelopeDigest, placeMac } from "../../src/crypto/rows.ts";
import {
  claimFrom,
  commit,
  dataKeyNamed,
  insertInto,
  messageNamed,
  putDataKey,
  queueNamed,
} from "./contract/fixtures.ts";
import { newPath, storeAt } from "./folder.ts";

const dataKeyId = "0123456789abcdef0123456789abcdef";
const sealingArn = "arn:aws:sqs:us-east-1:123456789012:orders";
const dataKey = Buffer.alloc(32, 7);
const placesKey = Buffer.alloc(32, 9);

async function scene(t: TestContext) {
  const path = newPath();
  const store = await storeAt(t, path);
  store.sealingThread.placesUnder(placesKey);
  store.sealingThread.keep(dataKeyId, dataKey);
  const queue = queueNamed();
  await commit(store, putDataKey(dataKeyNamed(dataKeyId)));
  const insertOf = (messageId: string, text: string) => {
    const sealed = { dataKeyId, sealingArn, body: Buffer.from(text) };
    const placeMac = new Uint8Array(0);
    return insertInto(queue, messageNamed(messageId, dataKeyId, 1000, { sealed, placeMac }));
  };
  const stored = async () => {
    const [{ messages }] = await commit(store, claimFrom(queue, 2000, "claim"));
    return messages;
  };
  return { path, store, queue, insertOf, stored };
}

test("a body that comes unsealed is stored as its envelope, at its place", async (t) => {
  const { path, store, queue, insertOf, stored } = await scene(t);
  const text = "a body that nobody may read at rest";
  await commit(store, insertOf("m1", text), insertOf("m2", "x".repeat(200_000)));
  const [first, second] = await stored();
  const digest = envelopeDigest(first?.bytes ?? Buffer.alloc(0));
  deepEqual(
    Buffer.from(first?.placeMac ?? []),
    placeMac(new HmacKey(placesKey), queue.queueId, "m1", digest),
  );
  const opened = [first, second].map((it) =>
    String(openBody(dataKey, dataKeyId, sealingArn, it?.bytes ?? Buffer.alloc(0))),
  );
  deepEqual(opened, [text, "x".repeat(200_000)]);
  deepEqual(dataKey, Buffer.alloc(32, 7), "the thread has a copy");
  equal(holds(path, text), false);
  equal(holds(path, "AIDASENDER"), true, "the search finds what lies open");
});

test("a dropped key: the commit is stale, and nothing of it is stored", async (t) => {
  const { store, insertOf, stored } = await scene(t);
  // Asked before the key goes: it is sealed yet.
  const before = store.commit({ decidedUnder: [], commands: [insertOf("m1", "before")] });
  const dropped = store.sealingThread.drop(dataKeyId);
  const after = store.commit({ decidedUnder: [], commands: [insertOf("m2", "after")] });
  await dropped;
  equal((await before).status, "done");
  deepEqual(await after, { status: "stale", versions: [] });
  deepEqual(
    (await stored()).map(({ messageId }) => messageId),
    ["m1"],
  );
});

test("a store that has ended holds no key: dropping one answers at once", async (t) => {
  const { store } = await scene(t);
  await store.close();
  await store.sealingThread.drop(dataKeyId);
});

/** Whether a file of the store holds the text. */
function holds(path: string, text: string): boolean {
  const folder = dirname(path);
  return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text));
}
