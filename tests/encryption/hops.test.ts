// Goal: every hop topic → queue → dead-letter queue asks the key that it should, as whom it should,
// and a hop that is denied is visible: publisher served, notification listed with the true reason,
// denial in the audit. Method: different keys per resource; key policies with and without each
// condition, always with the twin that differs in that one thing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  bodies,
  delegateTo,
  newScene,
  path,
  received,
  refuses,
  type Scene,
  type SceneQueue,
  type Statement,
  snsMayUseKey,
} from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const root = () => scene.server.rootClients;
const messaging: Statement = { Action: ["sqs:*", "sns:*"] };
const publish = (TopicArn: string, Message: string) => root().sns.publish({ TopicArn, Message });

/** A key that its account may use, and SNS under a condition if there is one. */
const keyFor = (name: string, ...statements: readonly Statement[]) =>
  scene.key(name, delegateTo(scene.accountId), ...statements);

async function undeliveredTo(subscriptionArn: string) {
  const all = await scene.undelivered();
  return all.filter((one) => one.subscriptionArn === subscriptionArn);
}

test("one publish, three queues under three keys, all hops allowed", async () => {
  const topicKey = await keyFor("topic");
  const topic = await scene.topic("all", { KmsMasterKeyId: topicKey.alias });
  const queues: SceneQueue[] = [];
  for (const n of [1, 2, 3]) {
    const key = await keyFor(`queue-${n}`, snsMayUseKey());
    const queue = await scene.queue(`all-${n}`, { KmsMasterKeyId: key.alias });
    await scene.subscribe(topic, queue, { enveloped: n === 3 });
    queues.push(queue);
  }
  const publisher = await scene.user(
    "all-publisher",
    { Action: "sns:Publish" },
    { Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: topicKey.arn },
  );
  await publisher.clients.sns.publish({ TopicArn: topic, Message: "for all" });
  const [first, second, third] = queues;
  assert.ok(first && second && third);
  assert.deepEqual(
    [await bodies(root(), first), await bodies(root(), second)],
    [["for all"], ["for all"]],
  );
  const [envelope = "{}"] = await bodies(root(), third);
  assert.equal((JSON.parse(envelope) as { Message?: string }).Message, "for all");
  assert.deepEqual(await scene.undelivered(), []);
  for (const { arn } of queues) {
    const [event] = await scene.events({ name: "GenerateDataKey", contextArn: arn });
    assert.deepEqual(event?.userIdentity, { type: "AWSService", invokedBy: "sns.amazonaws.com" });
    assert.equal(event?.sourceIPAddress, "sns.amazonaws.com");
  }
});

test("the queue's key does not admit SNS: delivery fails visibly, the publisher does not", async () => {
  const topic = await scene.topic("closed-key");
  const key = await keyFor("closed-key");
  const closed = await scene.queue("closed-key", { KmsMasterKeyId: key.alias });
  const open = await scene.queue("closed-key-twin", {
    KmsMasterKeyId: (await keyFor("closed-key-twin", snsMayUseKey())).alias,
  });
  const subscription = await scene.subscribe(topic, closed);
  await scene.subscribe(topic, open);
  const { MessageId } = await publish(topic, "secret-of-a-failed-hop");
  assert.deepEqual(await bodies(root(), open), ["secret-of-a-failed-hop"]);
  assert.deepEqual(await bodies(root(), closed), []);
  const [failed, ...more] = await undeliveredTo(subscription);
  assert.deepEqual(more, []);
  assert.equal(failed?.messageId, MessageId);
  assert.equal(failed?.topicArn, topic);
  assert.equal(failed?.failureCode, "KmsAccessDenied");
  const denied = new RegExp(
    `sns\\.amazonaws\\.com is not authorized to perform: kms:GenerateDataKey on resource: ${key.arn} ` +
      "because no resource-based policy allows the kms:GenerateDataKey action",
  );
  assert.match(failed?.failureText ?? "", denied);
  assert.doesNotMatch(JSON.stringify(failed), /secret-of-a-failed-hop/);
  const [event] = await scene.events({ name: "GenerateDataKey", contextArn: closed.arn });
  assert.deepEqual(event?.userIdentity, { type: "AWSService", invokedBy: "sns.amazonaws.com" });
  assert.equal(event?.errorCode, "AccessDenied");
  assert.match(event?.errorMessage ?? "", denied);
  assert.equal(event?.resources?.[0]?.ARN, key.arn);
});

test("the queue's policy does not admit the topic: the same, named as the queue's no", async () => {
  const topic = await scene.topic("closed-queue");
  const queue = await scene.queue("closed-queue");
  const other = await scene.topic("closed-queue-other");
  const subscription = await scene.subscribe(topic, queue, { withoutPolicy: true });
  await publish(topic, "m");
  const [failed] = await undeliveredTo(subscription);
  assert.equal(failed?.failureCode, "AccessDenied");
  assert.match(
    failed?.failureText ?? "",
    /sns\.amazonaws\.com is not authorized to perform: sqs:sendmessage/i,
  );
  await scene.subscribe(other, queue);
  await publish(topic, "m");
  assert.equal(
    (await undeliveredTo(subscription)).length,
    2,
    "another topic's right is not this one's",
  );
  await publish(other, "the twin");
  assert.deepEqual(await bodies(root(), queue), ["the twin"]);
});

/** Conditions in a queue's key policy, and whether SNS fulfils them. */
const conditions = [
  ["aws:SourceArn of the topic", true, (t: string) => ({ ArnLike: { "aws:SourceArn": t } })],
  [
    "aws:SourceArn of another",
    false,
    (t: string) => ({ ArnLike: { "aws:SourceArn": `${t}-not` } }),
  ],
  ["aws:SourceAccount", true, () => ({ StringEquals: { "aws:SourceAccount": scene.accountId } })],
  [
    "another aws:SourceAccount",
    false,
    () => ({ StringEquals: { "aws:SourceAccount": "999999999999" } }),
  ],
  [
    "the queue's encryption context",
    true,
    (_: string, q: string) => ({ StringEquals: { "kms:EncryptionContext:aws:sqs:arn": q } }),
  ],
  [
    "another queue's encryption context",
    false,
    (_: string, q: string) => ({ StringEquals: { "kms:EncryptionContext:aws:sqs:arn": `${q}x` } }),
  ],
  [
    // A service that acts for itself brings no identity along: kms:ViaService is absent.
    "kms:ViaService",
    false,
    () => ({ StringEquals: { "kms:ViaService": `sqs.${scene.region}.amazonaws.com` } }),
  ],
] as const;

for (const [index, [what, allowed, make]] of conditions.entries()) {
  test(`SNS on a queue's key under ${what}: ${allowed ? "delivers" : "fails"}`, async () => {
    const name = `condition-${index}`;
    const topic = await scene.topic(name);
    const queueArn = `arn:aws:sqs:${scene.region}:${scene.accountId}:${name}`;
    const key = await keyFor(name, snsMayUseKey(make(topic, queueArn)));
    const queue = await scene.queue(name, { KmsMasterKeyId: key.alias });
    const subscription = await scene.subscribe(topic, queue);
    await publish(topic, "m");
    assert.deepEqual(await bodies(root(), queue), allowed ? ["m"] : []);
    const failed = await undeliveredTo(subscription);
    assert.deepEqual(
      failed.map(({ failureCode }) => failureCode),
      allowed ? [] : ["KmsAccessDenied"],
    );
  });
}

test("a user's right by kms:ViaService and encryption context holds there and nowhere else", async () => {
  const name = "via";
  const user = await scene.user(name, messaging);
  const queueArn = `arn:aws:sqs:${scene.region}:${scene.accountId}:${name}`;
  const key = await keyFor(name, {
    Principal: { AWS: user.arn },
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    Condition: {
      StringEquals: {
        "kms:ViaService": `sqs.${scene.region}.amazonaws.com`,
        "kms:EncryptionContext:aws:sqs:arn": queueArn,
        "kms:CallerAccount": scene.accountId,
      },
    },
  });
  const queue = await scene.queue(name, { KmsMasterKeyId: key.alias });
  const other = await scene.queue(`${name}-other`, { KmsMasterKeyId: key.alias });
  const topic = await scene.topic(name, { KmsMasterKeyId: key.alias });
  const { sqs, sns, kms } = user.clients;
  await sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "m" });
  assert.deepEqual(await bodies(user.clients, queue), ["m"]);
  const toOther = sqs.sendMessage({ QueueUrl: other.url, MessageBody: "m" });
  await refuses(toOther, "KmsAccessDenied");
  await refuses(sns.publish({ TopicArn: topic, Message: "m" }), "KMSAccessDeniedException");
  const EncryptionContext = { "aws:sqs:arn": queueArn };
  const direct = kms.generateDataKey({ KeyId: key.id, KeySpec: "AES_256", EncryptionContext });
  await refuses(direct, "AccessDeniedException");
});

test("a dead-lettered message keeps its encryption: its reader needs the source queue's key", async () => {
  const sourceKey = await keyFor("dead-source");
  const middleKey = await keyFor("dead-middle");
  const last = await scene.queue("dead-last");
  // A receive count goes along with its message.
  const redriveTo = ({ arn }: SceneQueue, maxReceiveCount: number) =>
    JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount });
  const middle = await scene.queue("dead-middle", {
    KmsMasterKeyId: middleKey.alias,
    RedrivePolicy: redriveTo(last, 2),
  });
  const source = await scene.queue("dead-source", {
    KmsMasterKeyId: sourceKey.alias,
    RedrivePolicy: redriveTo(middle, 1),
  });
  const may = (name: string, ...keys: string[]) =>
    scene.user(name, messaging, ...keys.map((Resource) => ({ Action: "kms:*", Resource })));
  const ofSource = await may("dead-of-source", sourceKey.arn);
  const ofMiddle = await may("dead-of-middle", middleKey.arn);
  const ofNone = await may("dead-of-none");
  const send = ({ url }: SceneQueue, MessageBody: string) =>
    root().sqs.sendMessage({ QueueUrl: path(url), MessageBody });
  await send(source, "a: by the source");
  await send(middle, "b: by the middle");
  await send(last, "c: by the last");

  await received(ofSource.clients, source);
  assert.deepEqual(await received(ofSource.clients, source), [], "moved at the second receive");
  assert.deepEqual(await received(root(), middle), [
    ["a: by the source", "2"],
    ["b: by the middle", "1"],
  ]);
  await received(root(), middle);
  assert.deepEqual(await received(root(), middle), [], "and on");
  assert.deepEqual(await received(ofMiddle.clients, last), [
    ["b: by the middle", "3"],
    ["c: by the last", "1"],
  ]);
  assert.deepEqual(await bodies(ofSource.clients, last), ["a: by the source", "c: by the last"]);
  assert.deepEqual(await bodies(ofNone.clients, last), ["c: by the last"], "the twin: no right");
  await root().kms.disableKey({ KeyId: sourceKey.id });
  await scene.server.advance(300);
  assert.deepEqual(await bodies(root(), last), ["b: by the middle", "c: by the last"]);
  const decrypted = await scene.events({
    name: "Decrypt",
    contextArn: source.arn,
    user: "dead-of-source",
  });
  assert.ok(decrypted.length > 0, "the encryption context stays that of the source");
});
