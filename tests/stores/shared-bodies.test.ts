// Goal: a body that several queues got in one commit lies in the embedded store once, comes out of
// each queue whole, and is there until the last of them has no use for it.
// Method: a store with its real thread, which seals; the file is looked at once the store is closed.
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { openBody } from "../../src/crypto/envelope.ts";
import { HmacKey } from "../../src/crypto/hmac.ts";
import { envelopeDigest, placeMac } from "../../src/crypto/rows.ts";
import { messagesTable, portableSchema } from "../../src/kernel/portable.ts";
import type { Unsealed } from "../../src/kernel/sealed.ts";
import type { NewMessage, QueueIdentity } from "../../src/services/sqs/store.ts";
import type { SqliteStore } from "../../src/stores/sqlite/open.ts";
import {
  sqlitePortableLoader,
  sqlitePortableSource,
} from "../../src/stores/sqlite/portable-load.ts";
import {
  accountId,
  claimFrom,
  commit,
  dataKeyNamed,
  insertInto,
  messageNamed,
  putDataKey,
  queueNamed,
  region,
} from "./contract/fixtures.ts";
import { newPath, storeAt } from "./folder.ts";

const numbers = [0, 1, 2] as const;
const dataKeyIds = numbers.map((number) => String(number + 1).repeat(32));
const dataKeyAt = (number: number) => Buffer.alloc(32, number + 1);
const arnAt = (number: number) => `arn:aws:sqs:us-east-1:123456789012:queue-${number}`;
const placesKey = Buffer.alloc(32, 9);
const text = "a body that three queues get and nobody may read at rest";

interface Scene {
  readonly path: string;
  store: SqliteStore;
  readonly queues: readonly QueueIdentity[];
}

async function open(t: TestContext, path: string): Promise<SqliteStore> {
  const store = await storeAt(t, path);
  store.sealingThread.placesUnder(placesKey);
  for (const number of numbers) {
    store.sealingThread.keep(dataKeyIds[number] ?? "", dataKeyAt(number));
  }
  return store;
}

async function scene(t: TestContext): Promise<Scene> {
  const path = newPath();
  const store = await open(t, path);
  await commit(store, ...dataKeyIds.map((id) => putDataKey(dataKeyNamed(id))));
  return { path, store, queues: numbers.map(() => queueNamed()) };
}

function messageOf(number: number, body: Uint8Array, changes: Partial<NewMessage> = {}) {
  const dataKeyId = dataKeyIds[number] ?? "";
  const sealed = { dataKeyId, sealingArn: arnAt(number), body };
  const rest = { sealed, placeMac: new Uint8Array(0), ...changes };
  return messageNamed(`m${number}`, dataKeyId, 1000, rest);
}

/** One message in each queue, all of the same array. */
function fanOut({ queues }: Scene, body: Uint8Array = Buffer.from(text)) {
  return queues.map((queue, number) => insertInto(queue, messageOf(number, body)));
}

async function claim({ store, queues }: Scene, number: number, nowMs = 2000) {
  const queue = queues[number] ?? queueNamed();
  const [{ messages }] = await commit(store, claimFrom(queue, nowMs, `claim-${nowMs}`));
  return messages;
}

function opened(number: number, bytes: Uint8Array = new Uint8Array(0)): string {
  const body = openBody(dataKeyAt(number), dataKeyIds[number] ?? "", arnAt(number), bytes);
  return String(body);
}

/** What lies in the file; the store is closed, and opened again. */
async function rows(t: TestContext, it: Scene): Promise<{ shared: number; messages: number }> {
  await it.store.close();
  const database = new DatabaseSync(it.path);
  const count = (table: string) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  const found = { shared: count("shared_bodies"), messages: count("message_bodies") };
  equal(database.prepare("PRAGMA foreign_key_check").all().length, 0);
  database.close();
  it.store = await open(t, it.path);
  return found;
}

test("it lies there once, comes out of each queue, and is at its place there", async (t) => {
  const it = await scene(t);
  await commit(it.store, ...fanOut(it));
  deepEqual(await rows(t, it), { shared: 1, messages: 3 });
  for (const number of numbers) {
    const [message] = await claim(it, number);
    ok(message);
    equal(opened(number, message.bytes), text);
    equal(opened((number + 1) % 3, message.bytes), "undefined", "not under another queue's key");
    const { queueId } = it.queues[number] ?? queueNamed();
    deepEqual(
      Buffer.from(message.placeMac),
      placeMac(new HmacKey(placesKey), queueId, `m${number}`, envelopeDigest(message.bytes)),
    );
  }
});

test("a copy has what was inserted for it, shared or alone", async (t) => {
  const it = await scene(t);
  const body = Buffer.from(text);
  const withLink = (number: number, before: number, link: string, array = body) => {
    const { sealed } = messageOf(number, array);
    const insertion = { before, bytes: Buffer.from(link) };
    return messageOf(number, array, { sealed: { ...sealed, insertion } as Unsealed });
  };
  const [first, second, third] = it.queues;
  ok(first && second && third);
  await commit(
    it.store,
    insertInto(first, withLink(0, text.length - 2, "<one>")),
    insertInto(second, withLink(1, 0, "<two>")),
    insertInto(third, messageOf(2, body)),
  );
  await commit(it.store, insertInto(third, withLink(2, text.length, "<alone>", Buffer.from(text))));
  const wrong = insertInto(first, withLink(0, text.length + 1, "<beyond>"));
  await rejects(commit(it.store, wrong), /belongs into the body/);
  deepEqual(await rows(t, it), { shared: 1, messages: 4 });
  const found = await Promise.all(
    numbers.map(async (number) =>
      (await claim(it, number)).map(({ bytes }) => opened(number, bytes)),
    ),
  );
  deepEqual(found, [
    [`${text.slice(0, 2)}<one>${text.slice(2)}`],
    [`${text}<two>`],
    [text, `<alone>${text}`],
  ]);
});

test("bodies of other commits, or other arrays, are others", async (t) => {
  const it = await scene(t);
  const body = Buffer.from(text);
  await commit(it.store, ...fanOut(it, body));
  await commit(it.store, ...fanOut(it, body));
  const other = it.queues.map((queue, number) =>
    insertInto(queue, messageOf(number, Buffer.from(text))),
  );
  await commit(it.store, ...other);
  deepEqual(await rows(t, it), { shared: 2, messages: 9 });
  deepEqual(
    (await claim(it, 1)).map(({ bytes }) => opened(1, bytes)),
    [text, text, text],
  );
});

test("bodies that take turns in a commit are shared each", async (t) => {
  const it = await scene(t);
  const [raw, enveloped, alone] = [text, `{ ${text} }`, "alone"].map((it) => Buffer.from(it));
  ok(raw && enveloped && alone);
  const to = (number: number, body: Uint8Array) =>
    insertInto(it.queues[number] ?? queueNamed(), messageOf(number, body));
  const order = [to(0, raw), to(1, enveloped), to(2, alone), to(2, raw), to(0, enveloped)];
  await commit(it.store, ...order);
  deepEqual(await rows(t, it), { shared: 2, messages: 5 });
  const found = await Promise.all(
    numbers.map(async (number) =>
      (await claim(it, number)).map(({ bytes }) => opened(number, bytes)),
    ),
  );
  deepEqual(found, [[text, `{ ${text} }`], [`{ ${text} }`], ["alone", text]]);
});

test("the last message takes it along, however each goes", async (t) => {
  const it = await scene(t);
  const [deleted, discarded, expired] = it.queues;
  ok(deleted && discarded && expired);
  await commit(it.store, ...fanOut(it));
  const [message] = await claim(it, 0);
  ok(message);
  const claimed = { sequence: message.sequence, claimId: "claim-2000" };
  await commit(it.store, { kind: "sqs.delete", queue: deleted, messages: [claimed] });
  await commit(it.store, { kind: "sqs.discard", queue: discarded });
  await commit(it.store, { kind: "sqs.sweep", rowsMax: 100 });
  deepEqual(await rows(t, it), { shared: 1, messages: 1 });
  equal(opened(2, (await claim(it, 2))[0]?.bytes), text, "the twin: one still has it");
  await commit(it.store, { kind: "sqs.expire", queue: expired, sentBeforeMs: 5000, rowsMax: 10 });
  await commit(it.store, { kind: "sqs.sweep", rowsMax: 100 });
  deepEqual(await rows(t, it), { shared: 0, messages: 0 });
});

test("a message that moves has it still", async (t) => {
  const it = await scene(t);
  const [from] = it.queues;
  ok(from);
  await commit(it.store, ...fanOut(it));
  const [message] = await claim(it, 0);
  ok(message);
  const to = queueNamed();
  const moved = {
    sequence: message.sequence,
    claimId: "claim-2000",
    placeMac: Buffer.from("of the other queue"),
    deadLetterSourceArn: arnAt(0),
  };
  await commit(it.store, { kind: "sqs.move", from, to, nowMs: 3000, messages: [moved] });
  for (const number of [1, 2]) {
    await commit(it.store, { kind: "sqs.discard", queue: it.queues[number] ?? from });
  }
  await commit(it.store, { kind: "sqs.sweep", rowsMax: 100 });
  deepEqual(await rows(t, it), { shared: 1, messages: 1 });
  const [{ messages }] = await commit(it.store, claimFrom(to, 4000, "claim-there"));
  equal(opened(0, messages[0]?.bytes), text);
});

test("a duplicate in a FIFO queue has no use for it; the next one brings it", async (t) => {
  const it = await scene(t);
  const [first] = it.queues;
  ok(first);
  const fifo = { historyId: "history", nowMs: 1000, rememberMs: 300_000 };
  const ids = { groupId: "g", deduplication: [Buffer.alloc(16, 5)] };
  const toFirst = (body: Uint8Array) => ({
    ...insertInto(first, messageOf(0, body, ids)),
    fifo,
  });
  await commit(it.store, toFirst(Buffer.from("sent before")));
  const body = Buffer.from(text);
  const [, second] = fanOut(it, body);
  ok(second);
  await commit(it.store, toFirst(body), second);
  deepEqual(await rows(t, it), { shared: 1, messages: 2 });
  equal(opened(1, (await claim(it, 1))[0]?.bytes), text);
});

test("a data key that was dropped: the commit is stale, and nothing of it is stored", async (t) => {
  const it = await scene(t);
  await it.store.sealingThread.drop(dataKeyIds[1] ?? "");
  const answer = await it.store.commit({ decidedUnder: [], commands: fanOut(it) });
  deepEqual(answer, { status: "stale", versions: [] });
  deepEqual(await rows(t, it), { shared: 0, messages: 0 });
  await commit(it.store, ...fanOut(it));
  deepEqual(await rows(t, it), { shared: 1, messages: 3 }, "the twin");
});

test("commits beside one that fails are stored whole when the group runs again", async (t) => {
  const it = await scene(t);
  const commits = [
    it.store.commit({ decidedUnder: [], commands: fanOut(it) }),
    it.store.commit({ decidedUnder: [], commands: [{ kind: "nobody knows" }] }),
    it.store.commit({ decidedUnder: [], commands: fanOut(it, Buffer.from("another")) }),
  ];
  const ended = await Promise.allSettled(commits);
  deepEqual(
    ended.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  deepEqual(await rows(t, it), { shared: 2, messages: 6 });
  deepEqual(
    (await claim(it, 2)).map(({ bytes }) => opened(2, bytes)),
    [text, "another"],
  );
});

test("in the portable form each message has all of its envelope", async (t) => {
  const it = await scene(t);
  const large = "x".repeat(100_000);
  await commit(it.store, ...fanOut(it));
  await commit(it.store, ...fanOut(it, Buffer.from(large)));
  await it.store.close();
  const source = sqlitePortableSource(it.path);
  t.after(() => source.close());
  const bytesAt = messagesTable.columns.indexOf("bytes");
  const found: string[] = [];
  for await (const batch of source.rows(messagesTable, undefined)) {
    for (const row of batch) {
      const number = found.length % 3;
      found.push(opened(number, row[bytesAt] as Uint8Array));
    }
  }
  deepEqual(found, [text, text, text, large, large, large]);
  // And comes out of a store that it is loaded into; such a form is known since version 2.
  const path = newPath();
  throws(() => sqlitePortableLoader(path, portableSchema + 1), /unknown to this version/);
  const loader = sqlitePortableLoader(path, 1);
  for (const table of source.tables) {
    for await (const batch of source.rows(table, undefined)) await loader.load(table, batch);
  }
  await loader.finish();
  const loaded = { ...it, path, store: await open(t, path) };
  deepEqual(
    (await claim(loaded, 1)).map(({ bytes }) => opened(1, bytes)),
    [text, large],
  );
});

test("it counts for each queue's KMS key", async (t) => {
  const it = await scene(t);
  await commit(it.store, ...fanOut(it));
  const keyArn = dataKeyNamed("").keyArn;
  const counted = await it.store.query({ kind: "sqs.sealed-under", accountId, region, keyArn });
  deepEqual(
    (counted as { messages: number }[]).map(({ messages }) => messages),
    [1, 1, 1],
  );
});
