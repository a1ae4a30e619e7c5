// Goal: what a queue refuses goes to the subscription's dead-letter queue, sealed under that queue's
// own key, as what would have been delivered; and each right on the way is needed. Method: real
// clients; one right is taken away at a time, and given back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  bodies,
  delegateTo,
  newScene,
  type Scene,
  type SceneQueue,
  snsMayUseKey,
  topicMaySend,
} from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const root = () => scene.server.rootClients;

/** A topic, a queue and a dead-letter queue, each with a key of its own; the queue lets none in. */
async function set(name: string, enveloped = false) {
  const own = delegateTo(scene.accountId);
  const [topicKey, queueKey, deadKey] = await Promise.all(
    ["topic", "queue", "dead"].map((what) => scene.key(`${name}-${what}`, own, snsMayUseKey())),
  );
  assert.ok(topicKey && queueKey && deadKey);
  const topic = await scene.topic(name, { KmsMasterKeyId: topicKey.arn });
  const queue = await scene.queue(name, { KmsMasterKeyId: queueKey.arn });
  const dead = await scene.queue(`${name}-dead`, { KmsMasterKeyId: deadKey.arn });
  await scene.setQueue(dead, { Policy: topicMaySend(topic, dead) });
  const SubscriptionArn = await scene.subscribe(topic, queue, { withoutPolicy: true, enveloped });
  await root().sns.setSubscriptionAttributes({
    SubscriptionArn,
    AttributeName: "RedrivePolicy",
    AttributeValue: JSON.stringify({ deadLetterTargetArn: dead.arn }),
  });
  const publish = (Message: string, more = {}) =>
    root().sns.publish({ TopicArn: topic, Message, ...more });
  return { topic, queue, dead, topicKey, queueKey, deadKey, publish };
}

const dataKeysFor = async ({ arn }: SceneQueue) =>
  (await scene.events({ name: "GenerateDataKey", contextArn: arn })).filter(
    ({ errorCode }) => errorCode === undefined,
  );

test("the dead letter is sealed under the dead-letter queue's key, as SNS for the topic", async () => {
  const { dead, deadKey, publish, queue } = await set("sealed");
  const MessageAttributes = { kind: { DataType: "String", StringValue: "x" } };
  await publish("the body", { MessageAttributes });
  const { Messages = [] } = await root().sqs.receiveMessage({
    QueueUrl: dead.url,
    MessageAttributeNames: ["All"],
  });
  assert.equal(Messages[0]?.Body, "the body", "raw, as it would have been delivered");
  assert.equal(Messages[0]?.MessageAttributes?.kind?.StringValue, "x");
  const [use, ...others] = await dataKeysFor(dead);
  assert.equal(others.length, 0);
  assert.equal(use?.userIdentity.invokedBy, "sns.amazonaws.com");
  assert.equal(use?.resources?.[0]?.ARN, deadKey.arn);
  assert.deepEqual(await dataKeysFor(queue), [], "the queue's policy refused before its key");
  assert.deepEqual(await scene.undelivered(), []);
});

test("an enveloped dead letter is the whole envelope, signed", async () => {
  const { dead, publish, topic } = await set("enveloped", true);
  const { MessageId } = await publish("inside");
  const [body = "{}"] = await bodies(root(), dead);
  const envelope = JSON.parse(body);
  assert.equal(envelope.Message, "inside");
  assert.equal(envelope.MessageId, MessageId);
  assert.equal(envelope.TopicArn, topic);
  assert.equal(Buffer.from(envelope.Signature, "base64").length, 256);
});

test("the queue's key refuses: dead letter; the dead-letter queue's key too: kept and named", async () => {
  const { topic, queue, dead, queueKey, deadKey, publish } = await set("keys");
  await scene.setQueue(queue, { Policy: topicMaySend(topic, queue) });
  const own = delegateTo(scene.accountId);
  await scene.setKeyPolicy(queueKey, own);
  await publish("one");
  assert.deepEqual(await bodies(root(), dead), ["one"]);
  await root().sqs.purgeQueue({ QueueUrl: dead.url });
  await scene.setKeyPolicy(deadKey, own);
  await scene.server.advance(300);
  await publish("two");
  assert.deepEqual(await bodies(root(), dead), []);
  const [kept, ...others] = await scene.undelivered();
  assert.equal(others.length, 0);
  assert.equal(kept?.nextAttemptAt, null);
  assert.match(
    kept?.failureText ?? "",
    /GenerateDataKey[\s\S]*; dead-letter queue: [\s\S]*GenerateDataKey/,
  );
  await scene.setKeyPolicy(queueKey, own, snsMayUseKey());
  await publish("three");
  assert.deepEqual(await bodies(root(), queue), ["three"], "the twin: nothing is refused");
});

test("a disabled key of the dead-letter queue, and what is sent when it is back", async () => {
  const { dead, deadKey, publish } = await set("disabled");
  await root().kms.disableKey({ KeyId: deadKey.id });
  await publish("late");
  const before = (await scene.undelivered()).length;
  assert.ok(before >= 1);
  await root().kms.enableKey({ KeyId: deadKey.id });
  const { status } = await scene.server.send({
    service: "sealpost",
    method: "POST",
    path: "/_sealpost/redeliver",
    body: "{}",
  });
  assert.equal(status, 200);
  await scene.server.advance(1);
  assert.deepEqual(await bodies(root(), dead), ["late"]);
});
