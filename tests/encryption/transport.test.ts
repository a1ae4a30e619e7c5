// Goal: whatever names a topic or queue with SSE-KMS is refused with InvalidSecurity over plain
// HTTP or unsigned, in every operation and protocol; --allow-insecure-sse lifts the HTTP half only;
// unsigned calls work just where a resource's policy admits everyone.
// Method: each operation once on an encrypted resource and, as the twin, on one that is not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TestClients, TestServer } from "../harness/server.ts";
import { document, newScene, path, refuses, type Scene, type SceneQueue } from "./scene.ts";

let scene: Scene;
let lenient: Scene;
before(async () => {
  [scene, lenient] = await Promise.all([
    newScene(),
    newScene({ flags: { allowInsecureSse: true } }),
  ]);
});
after(() => Promise.all([scene.stop(), lenient.stop()]));

const everyone = (arn: string, Action: string) => document([{ Principal: "*", Action }], arn);
const plain = ({ server }: Scene) => server.clients(server.root, { plainHttp: true });

async function resources(on: Scene, name: string, attributes: Record<string, string>) {
  const queue = await on.queue(name, attributes);
  await on.setQueue(queue, { Policy: everyone(queue.arn, "sqs:*") });
  const topic = await on.topic(name, attributes);
  const Policy = everyone(topic, "SNS:Publish");
  const { sns } = on.server.rootClients;
  const set = { TopicArn: topic, AttributeName: "Policy", AttributeValue: Policy };
  await sns.setTopicAttributes(set);
  const target = await on.queue(`${name}-target`);
  const subscription = await on.subscribe(topic, target);
  return { name, queue, topic, target, subscription };
}

type Resources = Awaited<ReturnType<typeof resources>>;

const queueOperations: Readonly<
  Record<string, (sqs: TestClients["sqs"], QueueUrl: string, name: string) => Promise<unknown>>
> = {
  SendMessage: (sqs, QueueUrl) => sqs.sendMessage({ QueueUrl, MessageBody: "m" }),
  SendMessageBatch: (sqs, QueueUrl) =>
    sqs.sendMessageBatch({ QueueUrl, Entries: [{ Id: "a", MessageBody: "m" }] }),
  ReceiveMessage: (sqs, QueueUrl) => sqs.receiveMessage({ QueueUrl }),
  DeleteMessage: (sqs, QueueUrl) => sqs.deleteMessage({ QueueUrl, ReceiptHandle: "h" }),
  DeleteMessageBatch: (sqs, QueueUrl) =>
    sqs.deleteMessageBatch({ QueueUrl, Entries: [{ Id: "a", ReceiptHandle: "h" }] }),
  ChangeMessageVisibility: (sqs, QueueUrl) =>
    sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle: "h", VisibilityTimeout: 0 }),
  ChangeMessageVisibilityBatch: (sqs, QueueUrl) =>
    sqs.changeMessageVisibilityBatch({ QueueUrl, Entries: [{ Id: "a", ReceiptHandle: "h" }] }),
  GetQueueAttributes: (sqs, QueueUrl) =>
    sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] }),
  SetQueueAttributes: (sqs, QueueUrl) =>
    sqs.setQueueAttributes({ QueueUrl, Attributes: { DelaySeconds: "0" } }),
  GetQueueUrl: (sqs, _, QueueName) => sqs.getQueueUrl({ QueueName }),
  ListQueueTags: (sqs, QueueUrl) => sqs.listQueueTags({ QueueUrl }),
  TagQueue: (sqs, QueueUrl) => sqs.tagQueue({ QueueUrl, Tags: { a: "b" } }),
  UntagQueue: (sqs, QueueUrl) => sqs.untagQueue({ QueueUrl, TagKeys: ["a"] }),
  ListDeadLetterSourceQueues: (sqs, QueueUrl) => sqs.listDeadLetterSourceQueues({ QueueUrl }),
  AddPermission: (sqs, QueueUrl) =>
    sqs.addPermission({
      QueueUrl,
      Label: "l",
      AWSAccountIds: ["111122223333"],
      Actions: ["SendMessage"],
    }),
  RemovePermission: (sqs, QueueUrl) => sqs.removePermission({ QueueUrl, Label: "l" }),
  PurgeQueue: (sqs, QueueUrl) => sqs.purgeQueue({ QueueUrl }),
  DeleteQueue: (sqs, QueueUrl) => sqs.deleteQueue({ QueueUrl }),
};

const topicOperations: Readonly<
  Record<string, (sns: TestClients["sns"], resources: Resources) => Promise<unknown>>
> = {
  Publish: (sns, { topic }) => sns.publish({ TopicArn: topic, Message: "m" }),
  PublishBatch: (sns, { topic }) =>
    sns.publishBatch({
      TopicArn: topic,
      PublishBatchRequestEntries: [{ Id: "a", Message: "m" }],
    }),
  GetTopicAttributes: (sns, { topic }) => sns.getTopicAttributes({ TopicArn: topic }),
  SetTopicAttributes: (sns, { topic }) =>
    sns.setTopicAttributes({ TopicArn: topic, AttributeName: "DisplayName", AttributeValue: "d" }),
  Subscribe: (sns, { topic, target }) =>
    sns.subscribe({ TopicArn: topic, Protocol: "sqs", Endpoint: target.arn }),
  ListSubscriptionsByTopic: (sns, { topic }) => sns.listSubscriptionsByTopic({ TopicArn: topic }),
  GetSubscriptionAttributes: (sns, { subscription }) =>
    sns.getSubscriptionAttributes({ SubscriptionArn: subscription }),
  SetSubscriptionAttributes: (sns, { subscription }) =>
    sns.setSubscriptionAttributes({
      SubscriptionArn: subscription,
      AttributeName: "RawMessageDelivery",
      AttributeValue: "true",
    }),
  TagResource: (sns, { topic }) =>
    sns.tagResource({ ResourceArn: topic, Tags: [{ Key: "a", Value: "b" }] }),
  ListTagsForResource: (sns, { topic }) => sns.listTagsForResource({ ResourceArn: topic }),
  UntagResource: (sns, { topic }) => sns.untagResource({ ResourceArn: topic, TagKeys: ["a"] }),
  AddPermission: (sns, { topic }) =>
    sns.addPermission({
      TopicArn: topic,
      Label: "l",
      AWSAccountId: ["111122223333"],
      ActionName: ["Publish"],
    }),
  RemovePermission: (sns, { topic }) => sns.removePermission({ TopicArn: topic, Label: "l" }),
  Unsubscribe: (sns, { subscription }) => sns.unsubscribe({ SubscriptionArn: subscription }),
  DeleteTopic: (sns, { topic }) => sns.deleteTopic({ TopicArn: topic }),
};

async function isInvalidSecurity(call: Promise<unknown>, what: string): Promise<boolean> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error) || !error.name.startsWith("InvalidSecurity")) return false;
  const { $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  assert.equal($metadata?.httpStatusCode, 403, what);
  assert.match(error.message, /HTTPS/, what);
  return true;
}

/** The operations that plain HTTP may not do on these resources. */
async function refusedOverHttp(on: Scene, those: Resources): Promise<readonly string[]> {
  const { sqs, sns } = plain(on);
  const refused: string[] = [];
  for (const [name, call] of Object.entries(queueOperations)) {
    const what = `sqs:${name}`;
    const url = path(those.queue.url);
    if (await isInvalidSecurity(call(sqs, url, those.name), what)) refused.push(what);
  }
  for (const [name, call] of Object.entries(topicOperations)) {
    const what = `sns:${name}`;
    if (await isInvalidSecurity(call(sns, those), what)) refused.push(what);
  }
  return refused;
}

const all = [
  ...Object.keys(queueOperations).map((name) => `sqs:${name}`),
  ...Object.keys(topicOperations).map((name) => `sns:${name}`),
];

test("plain HTTP: every operation that names an encrypted resource is refused, no other", async () => {
  const key = await scene.key("http");
  const encrypted = await resources(scene, "http", { KmsMasterKeyId: key.alias });
  const open = await resources(scene, "http-open", {});
  assert.deepEqual(await refusedOverHttp(scene, encrypted), all);
  assert.deepEqual(await refusedOverHttp(scene, open), [], "the twin");
});

test("--allow-insecure-sse lets signed plain HTTP through", async () => {
  const key = await lenient.key("http");
  const encrypted = await resources(lenient, "http", { KmsMasterKeyId: key.alias });
  const { sqs, sns } = plain(lenient);
  const QueueUrl = path(encrypted.queue.url);
  await sqs.sendMessage({ QueueUrl, MessageBody: "over http" });
  const { Messages } = await sqs.receiveMessage({ QueueUrl });
  assert.equal(Messages?.[0]?.Body, "over http");
  await sns.publish({ TopicArn: encrypted.topic, Message: "m" });
  assert.deepEqual(await refusedOverHttp(lenient, encrypted), []);
});

interface Unsigned {
  readonly what: string;
  send(server: TestServer, plainHttp: boolean, those: Resources): ReturnType<TestServer["send"]>;
}

const form = { "content-type": "application/x-www-form-urlencoded" };

/** The same messages without a signature, in each way that the wire knows. */
const unsigned: readonly Unsigned[] = [
  {
    what: "SQS JSON",
    send: (server, plainHttp, { queue }) =>
      server.send({
        service: "sqs",
        unsigned: true,
        plainHttp,
        headers: {
          "content-type": "application/x-amz-json-1.0",
          "x-amz-target": "AmazonSQS.SendMessage",
        },
        body: JSON.stringify({ QueueUrl: queue.url, MessageBody: "m" }),
      }),
  },
  {
    what: "SQS query",
    send: (server, plainHttp, { queue }) =>
      server.send({
        service: "sqs",
        unsigned: true,
        plainHttp,
        path: path(queue.url),
        headers: form,
        body: "Action=SendMessage&Version=2012-11-05&MessageBody=m",
      }),
  },
  {
    what: "SQS query by GET",
    send: (server, plainHttp, { queue }) =>
      server.send({
        service: "sqs",
        unsigned: true,
        plainHttp,
        method: "GET",
        path: `${path(queue.url)}?Action=SendMessage&Version=2012-11-05&MessageBody=m`,
      }),
  },
  {
    what: "SNS query",
    send: (server, plainHttp, { topic }) =>
      server.send({
        service: "sns",
        unsigned: true,
        plainHttp,
        headers: form,
        body: new URLSearchParams({
          Action: "Publish",
          Version: "2010-03-31",
          TopicArn: topic,
          Message: "m",
        }).toString(),
      }),
  },
];

for (const { what, send } of unsigned) {
  test(`unsigned, ${what}: only where the policy admits all, never with SSE-KMS`, async () => {
    const name = what.replaceAll(" ", "-");
    for (const [on, plainHttp] of [
      [scene, false],
      [scene, true],
      [lenient, true],
    ] as const) {
      const key = await on.key(`${name}-${plainHttp}`);
      const encrypted = await resources(on, `${name}-${plainHttp}`, { KmsMasterKeyId: key.arn });
      const open = await resources(on, `${name}-${plainHttp}-open`, {});
      const refused = await send(on.server, plainHttp, encrypted);
      assert.equal(refused.status, 403, refused.body);
      assert.match(refused.body, /InvalidSecurity/);
      assert.match(refused.body, /signed/);
      const admitted = await send(on.server, plainHttp, open);
      assert.equal(admitted.status, 200, admitted.body);
      await on.setQueue(open.queue, { Policy: "" });
      const AttributeValue = everyone(open.topic, "SNS:GetTopicAttributes");
      const set = { TopicArn: open.topic, AttributeName: "Policy", AttributeValue };
      await on.server.rootClients.sns.setTopicAttributes(set);
      const denied = await send(on.server, plainHttp, open);
      assert.equal(denied.status, 403, denied.body);
      assert.match(denied.body, /AccessDenied|AuthorizationError/);
    }
  });
}

test("a signature that does not hold is no signature: nothing is admitted by it", async () => {
  const { queue } = await resources(scene, "forged", {});
  const stranger = scene.server.clients({ ...scene.server.root, secretAccessKey: "wrong" });
  const call = stranger.sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "m" });
  await refuses(call, "SignatureDoesNotMatch");
});

test("a queue that gets SSE-KMS is closed to plain HTTP from then on, and open again after", async () => {
  const key = await scene.key("switching");
  const queue: SceneQueue = await scene.queue("switching");
  const { sqs } = plain(scene);
  const send = () => sqs.sendMessage({ QueueUrl: path(queue.url), MessageBody: "m" });
  await send();
  await scene.setQueue(queue, { KmsMasterKeyId: key.alias });
  await refuses(send(), "InvalidSecurity", /HTTPS/, 403);
  await scene.setQueue(queue, { KmsMasterKeyId: "" });
  await send();
});

test("a forwarded scheme counts from a trusted proxy only", async () => {
  const behind = await newScene({ flags: { trustProxy: ["127.0.0.1/32"] } });
  try {
    for (const [on, status] of [
      [scene, 403],
      [behind, 200],
    ] as const) {
      const key = await on.key("forwarded");
      const { url } = await on.queue("forwarded", { KmsMasterKeyId: key.alias });
      const send = (forwarded: Record<string, string>) =>
        on.server.send({
          service: "sqs",
          plainHttp: true,
          path: path(url),
          headers: { ...form, ...forwarded },
          body: "Action=SendMessage&Version=2012-11-05&MessageBody=m",
        });
      const claimed = await send({ "x-forwarded-proto": "https" });
      assert.equal(claimed.status, status, claimed.body);
      assert.equal((await send({})).status, 403);
      assert.equal((await send({ "x-forwarded-proto": "http" })).status, 403);
    }
  } finally {
    await behind.stop();
  }
});
