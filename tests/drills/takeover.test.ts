// Goal: when the process that does the periodic work is killed, another one takes over each kind of
// it: what becomes due afterwards happens, and what was under way comes to its end.
// Method: two server processes with virtual clocks on one schema of a real PostgreSQL, each with a
// data folder of its own. Work of every kind is made ready through the one that holds the lease; it
// is killed with SIGKILL, and the clock of the other one moves. The counts are printed.
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startReceiver } from "../delivery/receiver.ts";
import type { ChildServer } from "../durability/child.ts";
import { importedSymmetricKey } from "../harness/import-key.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { sendRaw } from "../harness/raw.ts";
import type { TestClients } from "../harness/server.ts";
import { signedHeaders } from "../harness/sign.ts";
import { startServers } from "./servers.ts";

const daySeconds = 86_400;
const messages = 30;
const perSecond = 3;

async function advance(server: ChildServer, advanceSeconds: number): Promise<void> {
  const url = `${server.httpsUrl}/_sealpost/clock`;
  const body = JSON.stringify({ advanceSeconds });
  const given = { "content-type": "application/json" };
  const where = { service: "sealpost", region: "us-east-1", ...server.root };
  const request = { url, method: "POST", headers: given, body, ca: server.ca };
  const headers = signedHeaders({ ...request, ...where });
  const answer = await sendRaw({ ...request, headers });
  equal(answer.status, 200, answer.body);
}

async function eventually<T>(what: () => Promise<T | undefined>): Promise<T> {
  const until = performance.now() + 30_000;
  for (;;) {
    const seen = await what();
    if (seen !== undefined) return seen;
    if (performance.now() > until) throw new Error("it did not come");
    await pause(50);
  }
}

/** A move task that has most of its way before it. */
async function moveTask({ sqs }: TestClients) {
  const { QueueUrl: dead } = await sqs.createQueue({ QueueName: "dead" });
  const { QueueUrl: moved } = await sqs.createQueue({ QueueName: "moved" });
  const arnOf = async (QueueUrl: string | undefined) => {
    const asked = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["QueueArn"] });
    return asked.Attributes?.QueueArn ?? "";
  };
  const [SourceArn, DestinationArn] = [await arnOf(dead), await arnOf(moved)];
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 });
  await sqs.createQueue({ QueueName: "orders", Attributes: { RedrivePolicy } });
  for (let start = 0; start < messages; start += 10) {
    const Entries = Array.from({ length: 10 }, (_, index) => {
      return { Id: `${index}`, MessageBody: `m${start + index}` };
    });
    await sqs.sendMessageBatch({ QueueUrl: dead, Entries });
  }
  const rate = { MaxNumberOfMessagesPerSecond: perSecond };
  await sqs.startMessageMoveTask({ SourceArn, DestinationArn, ...rate });
  const task = async (through: TestClients) =>
    (await through.sqs.listMessageMoveTasks({ SourceArn })).Results?.[0];
  return { task, QueueUrl: moved };
}

/** Keys that are to be deleted, to rotate, and to lose their material. */
async function keysWithWork({ kms }: TestClients, nowMs: number) {
  const created = async () => (await kms.createKey({})).KeyMetadata?.KeyId ?? "";
  const [deleted, rotated] = [await created(), await created()];
  await kms.scheduleKeyDeletion({ KeyId: deleted, PendingWindowInDays: 7 });
  await kms.enableKeyRotation({ KeyId: rotated, RotationPeriodInDays: 90 });
  const expired = await importedSymmetricKey(kms, new Date(nowMs + 5 * daySeconds * 1000));
  return { deleted, rotated, expired };
}

async function notificationThatFails(
  t: { after(act: () => Promise<void>): void },
  { sns }: TestClients,
) {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const { TopicArn } = await sns.createTopic({ Name: "news" });
  await sns.subscribe({ TopicArn, Protocol: "http", Endpoint: receiver.url });
  const [asked] = await receiver.waitFor(1);
  const { Token } = JSON.parse(asked?.body ?? "");
  await sns.confirmSubscription({ TopicArn, Token });
  receiver.answer = (_request, response) => {
    response.statusCode = 500;
    response.end();
  };
  await sns.publish({ TopicArn, Message: "late" });
  await receiver.waitFor(2);
  return receiver;
}

const long = process.env.SEALPOST_TEST_LONG === "1";
const skip = long ? false : "waits for the end of a lease; with SEALPOST_TEST_LONG=1";

test("kill -9 of the process that does the periodic work", { skip }, async (t) => {
  const cluster = await sharedCluster();
  const store = cluster.newStoreUrl();
  const schema = new URL(store).searchParams.get("schema") ?? "";
  const flags = ["--clock", "virtual", "--delivery-allow", "127.0.0.0/8"];
  const servers = await startServers(t, store, 2, flags);
  const [first, second] = servers.all;
  if (!first || !second) throw new Error("there are two");
  const lease = async () => {
    const rows = await cluster.sql(
      `SELECT holder, until_ms - extract(epoch FROM clock_timestamp()) * 1000 AS "leftMs"
         FROM ${schema}.leases WHERE name = 'jobs'`,
    );
    return rows[0];
  };
  const before = await lease();

  const { clients } = first;
  const Attributes = { MessageRetentionPeriod: "60" };
  const { QueueUrl: old } = await clients.sqs.createQueue({ QueueName: "old", Attributes });
  await clients.sqs.sendMessage({ QueueUrl: old, MessageBody: "too old" });
  const keys = await keysWithWork(clients, Date.now());
  const receiver = await notificationThatFails(t, clients);
  const { task, QueueUrl } = await moveTask(clients);
  const underWay = await eventually(async () => {
    const found = await task(clients);
    return found?.ApproximateNumberOfMessagesMoved ? found : undefined;
  });
  equal(underWay.Status, "RUNNING");

  await first.kill();
  const killedMs = performance.now();
  receiver.answer = (_request, response) => void response.end("thanks");
  await eventually(async () => ((await lease())?.holder === before?.holder ? undefined : true));
  const takenOverMs = performance.now() - killedMs;
  notEqual((await lease())?.holder, before?.holder);
  equal(Number((await lease())?.leftMs) <= 8_000, true, "the lease is the database's time");

  // The rate goes on by the second; what the dead process held is seen again after thirty.
  for (let turn = 0; turn < messages / perSecond; turn += 1) await advance(second, 1);
  await advance(second, 31);
  const done = await eventually(async () => {
    const found = await task(second.clients);
    return found?.Status === "RUNNING" ? undefined : found;
  });
  deepEqual([done.Status, done.ApproximateNumberOfMessagesMoved], ["COMPLETED", messages]);
  const bodies = await drain(second, QueueUrl);
  equal(bodies.length, messages);
  equal(new Set(bodies).size, messages);
  const notified = receiver.requests.filter(({ body }) => JSON.parse(body).Message === "late");
  equal(notified.length > 1, true, "the notification was tried again");

  const stored = async () =>
    Number((await cluster.sql(`SELECT count(*) AS n FROM ${schema}.message_bodies`))[0]?.n);
  equal(await stored(), 1, "the one that is too old");
  await advance(second, 91 * daySeconds);
  equal(await stored(), 0);
  const events: Record<string, number> = {};
  for (const [EventName, keyId] of [
    ["DeleteExpiredKeyMaterial", keys.expired],
    ["DeleteKey", keys.deleted],
    ["RotateKey", keys.rotated],
  ] as const) {
    const LookupAttributes = [{ AttributeKey: "EventName" as const, AttributeValue: EventName }];
    const found = await second.clients.cloudtrail.lookupEvents({ LookupAttributes });
    const ours = (found.Events ?? []).filter(({ CloudTrailEvent = "" }) =>
      CloudTrailEvent.includes(keyId),
    );
    events[EventName] = ours.length;
  }
  deepEqual(events, { DeleteExpiredKeyMaterial: 1, DeleteKey: 1, RotateKey: 1 });
  const counts = { takenOverMs: Math.round(takenOverMs), moved: bodies.length, ...events };
  console.log(`periodic work taken over: ${JSON.stringify(counts)}`);
});

async function drain({ clients }: ChildServer, QueueUrl: string | undefined) {
  const bodies: string[] = [];
  for (;;) {
    const asked = { QueueUrl, MaxNumberOfMessages: 10 };
    const { Messages = [] } = await clients.sqs.receiveMessage(asked);
    if (Messages.length === 0) return bodies;
    for (const { Body = "", ReceiptHandle } of Messages) {
      bodies.push(Body);
      await clients.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
}
