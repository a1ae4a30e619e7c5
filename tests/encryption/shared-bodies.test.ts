// Goal: a publication that several queues get is sealed once, and each queue's copy is still its
// own: it opens under the right to that queue's key and under no other, moves and outlives a restart
// by itself. Method: real clients, a KMS key for each queue; keys are disabled, messages moved.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { testThreads } from "../harness/thread-choice.ts";
import { withDatabase } from "./database.ts";
import { bodies, delegateTo, newScene, path, refuses, type Scene, snsMayUseKey } from "./scene.ts";

const names = ["lab", "billing", "archive"] as const;

async function set(t: TestContext, enveloped = false) {
  const scene = await newScene();
  t.after(() => scene.stop());
  const own = delegateTo(scene.accountId);
  const topic = await scene.topic("results");
  const keys = await Promise.all(names.map((name) => scene.key(name, own, snsMayUseKey())));
  const queues = await Promise.all(
    names.map((name, index) => scene.queue(name, { KmsMasterKeyId: keys[index]?.arn ?? "" })),
  );
  const subscriptions: string[] = [];
  for (const queue of queues) {
    subscriptions.push(await scene.subscribe(topic, queue, { enveloped }));
  }
  const publish = (Message: string) =>
    scene.server.rootClients.sns.publish({ TopicArn: topic, Message });
  const [lab, billing, archive] = queues;
  const [labKey] = keys;
  assert.ok(lab && billing && archive && labKey);
  return { scene, publish, queues, subscriptions, lab, billing, archive, labKey };
}

/** With several gateway threads each seals by itself, and each queue has a copy of its own. */
const once = (bodies: number) => (testThreads > 1 ? 0 : bodies);

/** Rows of the store; the server starts again. */
async function stored(scene: Scene): Promise<{ messages: number; shared: number }> {
  const found = { messages: 0, shared: 0 };
  await scene.restart((folder) =>
    withDatabase(folder, (database) => {
      const count = (table: string) =>
        Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
      Object.assign(found, { messages: count("message_bodies"), shared: count("shared_bodies") });
    }),
  );
  return found;
}

test("each queue's copy opens under its own key, also after a restart", async (t) => {
  const { scene, publish, queues, lab, labKey } = await set(t);
  await publish("one");
  await publish("x".repeat(200_000));
  assert.deepEqual(await stored(scene), { messages: 6, shared: once(2) });
  const { kms, sqs } = scene.server.rootClients;
  await kms.disableKey({ KeyId: labKey.id });
  await scene.server.advance(301);
  await refuses(sqs.receiveMessage({ QueueUrl: path(lab.url) }), "KmsDisabled");
  const both = ["one", "x".repeat(200_000)];
  for (const queue of queues.slice(1)) assert.deepEqual(await bodies({ sqs }, queue), both);
  await kms.enableKey({ KeyId: labKey.id });
  await scene.server.advance(60);
  assert.deepEqual(await bodies({ sqs }, lab), both, "the twin");
});

test("in an envelope each copy has its own link, and all have one signature", async (t) => {
  const { scene, publish, queues, subscriptions } = await set(t, true);
  const text = `"grüße" ${"x".repeat(50_000)}`;
  const { MessageId } = await publish(text);
  assert.deepEqual(await stored(scene), { messages: 3, shared: once(1) });
  const found: Record<string, string>[] = [];
  for (const queue of queues) {
    const [body = "{}"] = await bodies(scene.server.rootClients, queue);
    found.push(JSON.parse(body));
  }
  found.forEach(({ UnsubscribeURL = "", ...rest }, index) => {
    assert.ok(UnsubscribeURL.endsWith(subscriptions[index] ?? "?"), UnsubscribeURL);
    assert.equal(rest.Message, text);
    assert.equal(rest.MessageId, MessageId);
    assert.equal(Buffer.from(rest.Signature ?? "", "base64").length, 256);
    assert.equal(rest.Signature, found[0]?.Signature);
  });
});

test("a queue that is purged or deleted leaves the others theirs", async (t) => {
  const { scene, publish, lab, billing, archive } = await set(t);
  await publish("one");
  const { sqs } = scene.server.rootClients;
  await sqs.purgeQueue({ QueueUrl: lab.url });
  await sqs.deleteQueue({ QueueUrl: billing.url });
  await scene.server.advance(60);
  assert.deepEqual(await stored(scene), { messages: 1, shared: once(1) });
  const after = scene.server.rootClients.sqs;
  const QueueUrl = path(archive.url);
  const { Messages = [] } = await after.receiveMessage({ QueueUrl });
  assert.equal(Messages[0]?.Body, "one");
  await after.deleteMessage({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle });
  await scene.server.advance(60);
  assert.deepEqual(await stored(scene), { messages: 0, shared: 0 });
});

test("a dead letter and what a move task brings back", async (t) => {
  const { scene, publish, lab, billing } = await set(t);
  const { sqs } = scene.server.rootClients;
  const dead = await scene.queue("dead");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
  await scene.setQueue(lab, { RedrivePolicy });
  await publish("one");
  const receive = () => sqs.receiveMessage({ QueueUrl: lab.url, VisibilityTimeout: 0 });
  await receive();
  await receive();
  assert.deepEqual(await bodies({ sqs }, dead), ["one"]);
  await sqs.purgeQueue({ QueueUrl: billing.url });
  await sqs.startMessageMoveTask({ SourceArn: dead.arn });
  await scene.server.advance(5);
  assert.deepEqual(await bodies({ sqs }, lab), ["one"]);
});
