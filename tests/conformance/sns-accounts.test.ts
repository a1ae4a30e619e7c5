// Goal: a queue of another account confirms its subscription itself, or subscribes by itself; what
// was given up comes back by `redeliver`; the outbox opens for the operator. Method: two accounts
// made through the admin API, real SDK clients for both.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TestClients } from "../harness/server.ts";
import {
  makeTopic,
  openPolicy,
  refuses,
  type SnsScene,
  snsScene,
  undelivered,
} from "./sns-scene.ts";

let scene: SnsScene;
let other: TestClients & { readonly accountId: string };
before(async () => {
  scene = await snsScene();
  const made = await admin("POST", "accounts", { name: "other" });
  const { accountId, ...credentials } = made as { accountId: string } & Record<string, string>;
  const { accessKeyId = "", secretAccessKey = "" } = credentials;
  other = { accountId, ...scene.server.clients({ accessKeyId, secretAccessKey }) };
});
after(() => scene.server.stop());

async function admin(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await scene.server.send({
    service: "sealpost",
    method,
    path: `/_sealpost/${path}`,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body);
}

async function foreignQueue(QueueName: string, topic: string) {
  const arn = `arn:aws:sqs:us-east-1:${other.accountId}:${QueueName}`;
  const Policy = JSON.stringify(openPolicy(arn, topic));
  const { QueueUrl = "" } = await other.sqs.createQueue({ QueueName, Attributes: { Policy } });
  const next = async () => {
    const { Messages: [message] = [] } = await other.sqs.receiveMessage({ QueueUrl });
    if (!message) return undefined;
    await other.sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
    return JSON.parse(message.Body ?? "");
  };
  return { arn, QueueUrl, next };
}

test("the topic's owner subscribes a foreign queue: its owner confirms by the message in it", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "cross");
  const queue = await foreignQueue("cross", TopicArn);
  const answer = await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queue.arn });
  assert.equal(answer.SubscriptionArn, "pending confirmation");
  await sns.publish({ TopicArn, Message: "too early" });
  await scene.server.advance(1);
  const message = await queue.next();
  assert.equal(message.Type, "SubscriptionConfirmation");
  assert.equal(message.TopicArn, TopicArn);
  assert.equal(await queue.next(), undefined);
  const { Token } = message;
  const { SubscriptionArn = "" } = await other.sns.confirmSubscription({ TopicArn, Token });
  assert.match(SubscriptionArn, new RegExp(`^${TopicArn}:`));
  await sns.publish({ TopicArn, Message: "now" });
  assert.equal((await queue.next()).Message, "now");
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn });
  assert.equal(Attributes?.ConfirmationWasAuthenticated, "true");
  assert.equal(Attributes?.PendingConfirmation, "false");
});

test("the queue's owner subscribes to a foreign topic that admits it, confirmed at once", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "open");
  const queue = await foreignQueue("open", TopicArn);
  const subscribe = () => other.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queue.arn });
  await refuses(subscribe(), "AuthorizationErrorException", 403, /SNS:Subscribe/);
  await sns.addPermission({
    TopicArn,
    Label: "other",
    AWSAccountId: [other.accountId],
    ActionName: ["Subscribe"],
  });
  const { SubscriptionArn = "" } = await subscribe();
  assert.match(SubscriptionArn, new RegExp(`^${TopicArn}:`));
  await sns.publish({ TopicArn, Message: "m" });
  assert.equal((await queue.next()).Message, "m");
  const { Subscriptions = [] } = await other.sns.listSubscriptions({});
  assert.ok(Subscriptions.some((each) => each.SubscriptionArn === SubscriptionArn));
  await other.sns.unsubscribe({ SubscriptionArn });
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, []);
});

test("what was given up arrives by redeliver once its cause is mended", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "mended");
  const queue = await foreignQueue("mended", TopicArn);
  await sns.addPermission({
    TopicArn,
    Label: "other",
    AWSAccountId: [other.accountId],
    ActionName: ["Subscribe"],
  });
  await other.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queue.arn });
  const policy = (Policy: string) =>
    other.sqs.setQueueAttributes({ QueueUrl: queue.QueueUrl, Attributes: { Policy } });
  await policy("");
  await sns.publish({ TopicArn, Message: "lost?" });
  const mine = async () =>
    (await undelivered(scene)).filter(({ subscriptionArn }) =>
      subscriptionArn.startsWith(TopicArn),
    );
  assert.equal((await mine()).length, 1);
  const redeliver = async () => {
    const answer = await admin("POST", "redeliver", { topicArn: TopicArn });
    await scene.server.advance(1);
    return answer;
  };
  assert.deepEqual(await redeliver(), { redelivering: 1 });
  assert.equal((await mine()).length, 1, "still refused");
  await policy(JSON.stringify(openPolicy(queue.arn, TopicArn)));
  await redeliver();
  assert.equal((await queue.next()).Message, "lost?");
  assert.deepEqual(await mine(), []);
  assert.deepEqual(await redeliver(), { redelivering: 0 });
});

test("the outbox is opened for the operator, and for the operator alone", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "phones", { KmsMasterKeyId: "alias/aws/sns" });
  await sns.subscribe({ TopicArn, Protocol: "sms", Endpoint: "+123123123" });
  await sns.publish({
    TopicArn,
    Message: JSON.stringify({ default: "d", sms: "text" }),
    MessageStructure: "json",
  });
  const read = async () => await admin("GET", `outbox?topic=${encodeURIComponent(TopicArn)}`);
  const { messages } = (await read()) as { messages: Record<string, unknown>[] };
  assert.equal(messages.length, 1);
  assert.equal(messages[0]?.message, "text");
  assert.equal(messages[0]?.endpoint, "+123123123");
  assert.equal(messages[0]?.protocol, "sms");
  const { Events = [] } = await scene.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "Decrypt" }],
  });
  const records = Events.map(({ CloudTrailEvent = "" }) => JSON.parse(CloudTrailEvent));
  assert.ok(
    records.some(({ userIdentity }) => userIdentity.invokedBy === "sns.amazonaws.com"),
    "the audit tells of the opening",
  );
  const user = await scene.server.createUser("nobody");
  const refused = await scene.server.send({
    service: "sealpost",
    method: "GET",
    path: "/_sealpost/outbox",
    accessKeyId: user.accessKeyId,
    secretAccessKey: user.secretAccessKey,
  });
  assert.equal(refused.status, 403);
});
