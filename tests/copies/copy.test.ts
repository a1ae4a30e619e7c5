// Goal: a whole installation goes from the embedded store to PostgreSQL and back; a copy that is
// killed is gone on with, one that went wrong is found out, and nothing is copied over anything.
// Method: a server with a bit of everything, real clients and the command line; a child that kills
// itself in the midst; rows that are changed behind the copy's back.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { copyStore } from "../../src/assembly/store-copy.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { parsePostgresUrl } from "../../src/stores/postgres/url.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { done, folderFor, queueUrlOn, receiveAll, sealpost } from "../backup/scene.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import * as fixtures from "../stores/contract/fixtures.ts";

const child = fileURLToPath(new URL("./children/copy.ts", import.meta.url));

async function serve(t: TestContext, dataFolder: string, store: string): Promise<TestServer> {
  const server = await startTestServer({ dataFolder, flags: { store } });
  t.after(() => server.halt().catch(() => {}));
  return server;
}

const copy = (from: string, to: string) =>
  sealpost(["store", "copy", "--from", from, "--to", to, "--format", "json"], {});

/** Sends a message of each kind and leaves messages in all states that a queue knows. */
async function fill(server: TestServer) {
  const { kms, sqs, sns } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: Buffer.from("a secret") });
  const encrypted = { KmsMasterKeyId: KeyId };
  const { QueueUrl: plain = "" } = await sqs.createQueue({
    QueueName: "plain",
    Attributes: encrypted,
  });
  for (let n = 0; n < 12; n += 1) await sqs.sendMessage({ QueueUrl: plain, MessageBody: `p${n}` });
  await sqs.sendMessage({ QueueUrl: plain, MessageBody: "p-late", DelaySeconds: 600 });
  const taken = await sqs.receiveMessage({ QueueUrl: plain, VisibilityTimeout: 3600 });
  const { QueueUrl: fair = "" } = await sqs.createQueue({ QueueName: "fair" });
  for (const MessageGroupId of ["ann", "bob", "ann"]) {
    await sqs.sendMessage({ QueueUrl: fair, MessageBody: `of ${MessageGroupId}`, MessageGroupId });
  }
  const { QueueUrl: ordered = "" } = await sqs.createQueue({
    QueueName: "ordered.fifo",
    Attributes: { FifoQueue: "true", ...encrypted },
  });
  for (let n = 0; n < 12; n += 1) {
    await sqs.sendMessage({
      QueueUrl: ordered,
      MessageBody: `o${n}`,
      MessageGroupId: `g${n % 3}`,
      MessageDeduplicationId: `d${n}`,
    });
  }
  const first = await sqs.receiveMessage({ QueueUrl: ordered, MaxNumberOfMessages: 2 });
  for (const { ReceiptHandle } of first.Messages ?? []) {
    await sqs.deleteMessage({ QueueUrl: ordered, ReceiptHandle });
  }
  const { QueueUrl: gone = "" } = await sqs.createQueue({ QueueName: "gone" });
  await sqs.sendMessage({ QueueUrl: gone, MessageBody: "never again" });
  await sqs.deleteQueue({ QueueUrl: gone });
  const { TopicArn = "" } = await sns.createTopic({
    Name: "news.fifo",
    Attributes: {
      FifoTopic: "true",
      ContentBasedDeduplication: "true",
      ArchivePolicy: '{"MessageRetentionPeriod":"30"}',
    },
  });
  await sns.publish({ TopicArn, Message: "kept", MessageGroupId: "a" });
  const [left = "", right = ""] = await fanOut(server);
  const user = await server.createUser("emr", {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
  });
  return {
    ...{ plain, fair, ordered, left, right, user, CiphertextBlob },
    takenHandle: taken.Messages?.[0]?.ReceiptHandle ?? "",
    takenBody: taken.Messages?.[0]?.Body ?? "",
    goneFromOrder: (first.Messages ?? []).map(({ Body }) => Body),
  };
}

/** One publication in two queues, which share its body in the embedded store. */
async function fanOut({ rootClients }: TestServer): Promise<readonly string[]> {
  const { sns, sqs } = rootClients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "both" });
  const urls: string[] = [];
  for (const QueueName of ["left", "right"]) {
    const Endpoint = TopicArn.replace(":sns:", ":sqs:").replace("both", QueueName);
    const Statement = [
      { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: Endpoint },
    ];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    const { QueueUrl = "" } = await sqs.createQueue({ QueueName, Attributes: { Policy } });
    const raw = { Attributes: { RawMessageDelivery: "true" } };
    await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint, ...raw });
    urls.push(QueueUrl);
  }
  await sns.publish({ TopicArn, Message: "to both" });
  return urls;
}

/** Events that name a resource are found by it. */
async function eventsOfQueues(server: TestServer): Promise<number> {
  const { Events = [] } = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "ResourceType", AttributeValue: "AWS::SQS::Queue" }],
  });
  return Events.length;
}

test("a whole installation moves to PostgreSQL and back", async (t) => {
  const folder = folderFor(t);
  const before = await serve(t, folder, "sqlite");
  const it = await fill(before);
  const { user } = it;
  const known = await eventsOfQueues(before);
  ok(known > 0);
  await before.halt();
  const to = (await sharedCluster()).newStoreUrl();
  const first = await copy(`sqlite:${folder}`, to);
  equal(first.code, 0, first.err);
  equal(JSON.parse(first.out).tables.messages.rows, 12 + 1 + 3 + 10 + 2);
  // The twin: a target that holds an installation is not written over.
  match((await copy(`sqlite:${folder}`, to)).err, /holds an installation already/);

  const shared = await serve(t, folder, to);
  // Neither side may have a server.
  const held = join(folder, "elsewhere");
  mkdirSync(held);
  writeFileSync(join(held, "installation.json"), "{}");
  match((await copy(to, `sqlite:${held}`)).err, /servers or commands work on this database/);
  match((await copy(`sqlite:${folder}`, to)).err, /another server/);

  equal(await eventsOfQueues(shared), known);
  const { kms, sqs } = shared.rootClients;
  const { Plaintext } = await kms.decrypt({ CiphertextBlob: it.CiphertextBlob });
  equal(Buffer.from(Plaintext ?? []).toString(), "a secret");
  const plain = queueUrlOn(shared, it.plain);
  // A claim and its handle go along.
  await shared.clients(user).sqs.deleteMessage({ QueueUrl: plain, ReceiptHandle: it.takenHandle });
  const bodies = Array.from({ length: 12 }, (_, n) => `p${n}`).filter((b) => b !== it.takenBody);
  deepEqual(await receiveAll(shared, plain), bodies.toSorted());
  deepEqual(await receiveAll(shared, queueUrlOn(shared, it.fair)), ["of ann", "of ann", "of bob"]);
  deepEqual(await receiveAll(shared, queueUrlOn(shared, it.left)), ["to both"]);
  // What was sent under this id is remembered; nothing comes twice.
  const ordered = queueUrlOn(shared, it.ordered);
  const again = { MessageGroupId: "g0", MessageDeduplicationId: "d3" };
  await sqs.sendMessage({ QueueUrl: ordered, MessageBody: "twice", ...again });
  const next = { MessageGroupId: "g0", MessageDeduplicationId: "d99" };
  await sqs.sendMessage({ QueueUrl: ordered, MessageBody: "o99", ...next });
  equal((await sealpost(["verify-trail", "--data", folder], {})).code, 0);
  // One of each kind that nobody has received.
  await sqs.sendMessage({ QueueUrl: plain, MessageBody: "p-new" });
  const fair = { QueueUrl: queueUrlOn(shared, it.fair), MessageGroupId: "eve" };
  await sqs.sendMessage({ ...fair, MessageBody: "of eve" });
  await shared.halt();

  renameSync(join(folder, "sealpost.db"), join(folder, "old.db"));
  const second = await copy(to, `sqlite:${folder}`);
  equal(second.code, 0, second.err);
  const back = await serve(t, folder, "sqlite");
  const order = new Map<string, string[]>();
  for (;;) {
    const { Messages = [] } = await back.rootClients.sqs.receiveMessage({
      QueueUrl: queueUrlOn(back, it.ordered),
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["MessageGroupId"],
    });
    if (Messages.length === 0) break;
    for (const { Body = "", Attributes, ReceiptHandle } of Messages) {
      const group = Attributes?.MessageGroupId ?? "";
      order.set(group, [...(order.get(group) ?? []), Body]);
      await back.rootClients.sqs.deleteMessage({
        QueueUrl: queueUrlOn(back, it.ordered),
        ReceiptHandle,
      });
    }
  }
  const ofGroup = (n: number) =>
    [n, n + 3, n + 6, n + 9].map((m) => `o${m}`).filter((b) => !it.goneFromOrder.includes(b));
  deepEqual(Object.fromEntries(order), {
    g0: [...ofGroup(0), "o99"],
    g1: ofGroup(1),
    g2: ofGroup(2),
  });
  equal(await eventsOfQueues(back), known);
  deepEqual(await receiveAll(back, queueUrlOn(back, it.plain)), ["p-new"]);
  deepEqual(await receiveAll(back, queueUrlOn(back, it.fair)), ["of eve"]);
  deepEqual(await receiveAll(back, queueUrlOn(back, it.right)), ["to both"]);
  await back.advance(700);
  const all = [...bodies, "p-late", "p-new"].toSorted();
  deepEqual(await receiveAll(back, queueUrlOn(back, it.plain)), all);
  await back.halt();
  const audit = await sealpost(["verify-trail", "--data", folder], {});
  equal(audit.code, 0, audit.out);
});

const messagesMany = 600;

/** A store of many messages, and a ring that makes it an installation. */
async function storeWithMany(folder: string): Promise<void> {
  writeFileSync(join(folder, "installation.json"), "{}");
  const store = await openSqliteStore({ path: join(folder, "sealpost.db"), log: silentLog });
  const queue = fixtures.queueNamed("many");
  const ring = { kind: "meta.put", name: "key-ring", value: Buffer.from("ring") } as const;
  await fixtures.commit(store, ring, fixtures.putDataKey(fixtures.dataKeyNamed("key-1")));
  const sealed = fixtures.sealedUnder("key-1", "x".repeat(8000));
  for (let n = 0; n < messagesMany; n += 1) {
    const message = fixtures.messageNamed(`m${n}`, "key-1", n, { sealed });
    await fixtures.commit(store, fixtures.insertInto(queue, message));
  }
  await store.close();
}

/** Runs the copy until it kills itself after so many rows. */
function killedCopy(from: string, to: string, rows: number): void {
  const { signal, stderr } = spawnSync(process.execPath, [child, from, to, String(rows)]);
  equal(signal, "SIGKILL", stderr.toString());
}

test("a copy that is killed goes on where it was, and is whole", async (t) => {
  const folder = folderFor(t);
  await storeWithMany(folder);
  const cluster = await sharedCluster();
  const to = cluster.newStoreUrl();
  const { schema } = parsePostgresUrl(to);
  for (const rows of [1, 200, 400]) killedCopy(`sqlite:${folder}`, to, rows);
  // What is not whole is no store: one that is opened there is another, empty one.
  const [there] = await cluster.sql(`SELECT to_regnamespace('${schema}') AS it`);
  equal(there?.it, null);
  const { code, out, err } = await copy(`sqlite:${folder}`, to);
  equal(code, 0, err);
  const { resumedRows, tables } = JSON.parse(out);
  ok(resumedRows >= 400, out);
  equal(tables.messages.rows, messagesMany);
  const [row] = await cluster.sql(`SELECT count(*) AS n FROM ${schema}.message_bodies`);
  equal(Number(row?.n), messagesMany);
  const [left] = await cluster.sql(`SELECT to_regnamespace('${schema}_unfinished') AS it`);
  equal(left?.it, null);
});

test("a copy of what changed meanwhile begins anew", async (t) => {
  const folder = folderFor(t);
  await storeWithMany(folder);
  const to = (await sharedCluster()).newStoreUrl();
  killedCopy(`sqlite:${folder}`, to, 300);
  const store = await openSqliteStore({ path: join(folder, "sealpost.db"), log: silentLog });
  const late = fixtures.messageNamed("late", "key-1", 9);
  await fixtures.commit(store, fixtures.insertInto(fixtures.queueNamed("many"), late));
  await store.close();
  const { out, err } = await copy(`sqlite:${folder}`, to);
  const { resumedRows, tables } = JSON.parse(out || err);
  equal(resumedRows, 0);
  equal(tables.messages.rows, messagesMany + 1);
});

test("a row that differs is found, and the copy thrown away", async (t) => {
  const folder = folderFor(t);
  await storeWithMany(folder);
  const cluster = await sharedCluster();
  const to = cluster.newStoreUrl();
  const { schema } = parsePostgresUrl(to);
  killedCopy(`sqlite:${folder}`, to, 300);
  await cluster.sql(`UPDATE ${schema}_unfinished.message_bodies SET sender_id = 'somebody'
    WHERE sequence = (SELECT min(sequence) FROM ${schema}_unfinished.message_bodies)`);
  const found = await copy(`sqlite:${folder}`, to);
  equal(found.code, 1);
  match(found.err, /differs from its source in messages \(600 rows, 600 there\)/);
  // The twin: without the change it is whole.
  equal((await copy(`sqlite:${folder}`, to)).code, 0);
});

test("what is there already stays", async (t) => {
  const folder = folderFor(t);
  await storeWithMany(folder);
  const cluster = await sharedCluster();
  const theirs = cluster.newStoreUrl();
  const { schema } = parsePostgresUrl(theirs);
  await cluster.sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.theirs (id int8)`);
  match((await copy(`sqlite:${folder}`, theirs)).err, /tables of another program/);
  // A store that was made and never used is as good as none; a view in its schema is not.
  const empty = cluster.newStoreUrl();
  const made = parsePostgresUrl(empty).schema;
  await done(["store", "migrate", "--store", empty], {});
  await cluster.sql(`CREATE VIEW ${made}.watched AS SELECT count(*) FROM pg_class`);
  match((await copy(`sqlite:${folder}`, empty)).err, /more than a store: watched/);
  await cluster.sql(`DROP VIEW ${made}.watched`);
  equal((await copy(`sqlite:${folder}`, empty)).code, 0);
  const nothing = await copy(`sqlite:${join(folder, "nowhere")}`, cluster.newStoreUrl());
  match(nothing.err, /there is no store at/);
  match(
    (await copy(`sqlite:${folder}`, `sqlite:${folder}`)).err,
    /cannot be copied to where it is/,
  );
  match((await copy("mysql:x", empty)).err, /--from must be sqlite:DIR or postgres/);
  const none = cluster.newStoreUrl();
  const refused = copyStore({ from: none, to: `sqlite:${folder}`, progress: () => {} });
  await rejects(refused, /there is no schema/);
});

test("a store that a server works on is nobody else's", async (t) => {
  const url = (await sharedCluster()).newStoreUrl();
  const options = { url, log: silentLog, systemNowMs: Date.now };
  const one = await openPostgresStore(options);
  t.after(() => one.close());
  const other = await openPostgresStore(options);
  await other.close();
  await rejects(openPostgresStore({ ...options, alone: true }), /from 127.0.0.1\): stop them/);
  await one.close();
  const alone = await openPostgresStore({ ...options, alone: true });
  t.after(() => alone.close());
  await rejects(openPostgresStore(options), /a command has this database for itself/);
});
