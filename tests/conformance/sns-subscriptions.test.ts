// Goal: queues are subscribed, shown, changed and unsubscribed as in AWS. Method: the real SDK
// client against a server over HTTPS; one server for the file, one topic per test.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  invalid,
  makeTopic,
  queueArn,
  refuses,
  type SnsScene,
  snsScene,
  subscribeQueue,
  topicArn,
} from "./sns-scene.ts";

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

test("Subscribe answers one ARN for one queue", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "once");
  const Endpoint = queueArn(scene, "never-looked-up");
  const subscribe = (Attributes?: Record<string, string>) =>
    sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint, Attributes });
  const { SubscriptionArn = "" } = await subscribe({ RawMessageDelivery: "TRUE" });
  assert.match(
    SubscriptionArn,
    new RegExp(`^${TopicArn}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
  );
  assert.equal((await subscribe()).SubscriptionArn, SubscriptionArn);
  assert.equal((await subscribe({ RawMessageDelivery: "true" })).SubscriptionArn, SubscriptionArn);
  await invalid(
    subscribe({ RawMessageDelivery: "false" }),
    "Attributes Reason: Subscription already exists with different attributes",
  );
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn });
  assert.deepEqual(Attributes, {
    ConfirmationWasAuthenticated: "true",
    Endpoint,
    Owner: scene.accountId,
    PendingConfirmation: "false",
    Protocol: "sqs",
    RawMessageDelivery: "true",
    SubscriptionArn,
    SubscriptionPrincipal: `arn:aws:iam::${scene.accountId}:root`,
    TopicArn,
  });
});

test("what cannot be subscribed", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "refusing");
  const subscribe = (Protocol: string, Endpoint: string, Attributes?: Record<string, string>) =>
    sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes });
  const queue = queueArn(scene, "q");
  await invalid(
    subscribe("pigeon", "coop"),
    "Amazon SNS does not support this protocol string: pigeon",
  );
  for (const [protocol, endpoint, text] of [
    ["http", "https://example.com", "Endpoint must match the specified protocol"],
    ["https", "https://", "Endpoint"],
    ["http", "http://example.com/\r\nX-Evil: 1", "Endpoint"],
    ["email", "nobody", "Email address"],
    ["email", "a@b.example\r\nBcc: c@d.example", "Email address"],
    ["sms", "call me", "Invalid SMS endpoint: call me"],
    ["lambda", "f", "Lambda endpoint ARN"],
    ["firehose", "x", "Firehose endpoint ARN"],
    ["application", "x", "Application endpoint ARN"],
  ] as const) {
    await invalid(subscribe(protocol, endpoint), text);
  }
  for (const endpoint of [
    "q",
    "https://localhost/123456789012/q",
    "arn:aws:sns:us-east-1:1:q",
    "",
  ]) {
    await invalid(subscribe("sqs", endpoint), "SQS endpoint ARN");
  }
  await invalid(
    subscribe("sqs", `${queue}.fifo`),
    "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
  );
  const attributes = "Attributes Reason: ";
  await invalid(subscribe("sqs", queue, { Colour: "x" }), `${attributes}AttributeName`);
  await invalid(
    subscribe("sqs", queue, { RawMessageDelivery: "maybe" }),
    `${attributes}RawMessageDelivery: Invalid value [maybe]. Must be true or false.`,
  );
  await invalid(
    subscribe("sqs", queue, { ReplayPolicy: "{}" }),
    "Attributes Reason: ReplayPolicy: is valid for FIFO topics only",
  );
  const email = (Attributes: Record<string, string>) =>
    sns.subscribe({ TopicArn, Protocol: "email", Endpoint: "a@b.example", Attributes });
  await invalid(
    email({ RawMessageDelivery: "true" }),
    `${attributes}Delivery protocol [email] does not support raw message delivery.`,
  );
  const dead = (RedrivePolicy: string) => subscribe("sqs", queue, { RedrivePolicy });
  await invalid(dead("{}"), `${attributes}RedrivePolicy: deadLetterTargetArn is an invalid arn`);
  await invalid(
    dead("{"),
    /^Invalid parameter: Attributes Reason: RedrivePolicy: failed to parse JSON\. /,
  );
  await invalid(
    dead(JSON.stringify({ deadLetterTargetArn: queue.replace("us-east-1", "eu-west-1") })),
    /deadLetterTargetArn must be in the account and region/,
  );
  await invalid(
    subscribe("sqs", queue, { DeliveryPolicy: '{"healthyRetryPolicy":{"numRetries":101}}' }),
    `${attributes}DeliveryPolicy: Invalid value for numRetries`,
  );
  await refuses(
    sns.subscribe({ TopicArn: topicArn(scene, "none"), Protocol: "sqs", Endpoint: queue }),
    "NotFoundException",
    404,
    "Topic does not exist",
  );
});

test("SetSubscriptionAttributes", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "changing");
  const { subscriptionArn: SubscriptionArn } = await subscribeQueue(scene, TopicArn, "changing");
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue });
  await set("RawMessageDelivery", "True");
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn });
  assert.equal(Attributes?.RawMessageDelivery, "true");
  await invalid(
    set("RawMessageDelivery", "1"),
    "RawMessageDelivery: Invalid value [1]. Must be true or false.",
  );
  await invalid(set("Owner", "x"), "AttributeName");
  const dead = JSON.stringify({ deadLetterTargetArn: queueArn(scene, "dead") });
  await set("RedrivePolicy", dead);
  await set("FilterPolicyScope", "MessageBody");
  const shown = async () => (await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes;
  assert.equal((await shown())?.RedrivePolicy, dead);
  assert.equal((await shown())?.FilterPolicyScope, undefined, "a scope alone is not shown");
  await set("FilterPolicy", '{"a":{"b":["c"]}}');
  assert.equal((await shown())?.FilterPolicyScope, "MessageBody");
  await invalid(
    set("FilterPolicyScope", "MessageAttributes"),
    "Filter policy scope MessageAttributes does not support nested filter policy",
  );
  await invalid(
    set("FilterPolicyScope", "Elsewhere"),
    "FilterPolicyScope: Invalid value [Elsewhere]. Please use either MessageBody or MessageAttributes",
  );
  await set("FilterPolicy", "");
  await set("RedrivePolicy", "");
  assert.equal((await shown())?.FilterPolicy, undefined);
  assert.equal((await shown())?.RedrivePolicy, undefined);
});

test("lists and counts follow Subscribe and Unsubscribe", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "listed");
  const other = await makeTopic(sns, "listed-2");
  const one = await subscribeQueue(scene, TopicArn, "listed-a");
  const two = await subscribeQueue(scene, TopicArn, "listed-b");
  await subscribeQueue(scene, other, "listed-c");
  const byTopic = async () =>
    ((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions ?? [])
      .map((subscription) => subscription.SubscriptionArn)
      .sort();
  assert.deepEqual(await byTopic(), [one.subscriptionArn, two.subscriptionArn].sort());
  await sns.unsubscribe({ SubscriptionArn: one.subscriptionArn });
  await sns.unsubscribe({ SubscriptionArn: one.subscriptionArn });
  assert.deepEqual(await byTopic(), [two.subscriptionArn]);
  const { Subscriptions = [] } = await sns.listSubscriptions({});
  assert.deepEqual(
    Subscriptions.find(({ SubscriptionArn }) => SubscriptionArn === two.subscriptionArn),
    {
      SubscriptionArn: two.subscriptionArn,
      Owner: scene.accountId,
      Protocol: "sqs",
      Endpoint: two.arn,
      TopicArn,
    },
  );
  const { Attributes } = await sns.getTopicAttributes({ TopicArn });
  assert.equal(Attributes?.SubscriptionsConfirmed, "1");
  assert.equal(Attributes?.SubscriptionsDeleted, "1");
  await refuses(
    sns.getSubscriptionAttributes({ SubscriptionArn: one.subscriptionArn }),
    "NotFoundException",
    404,
    "Subscription does not exist",
  );
  await sns.deleteTopic({ TopicArn });
  await makeTopic(sns, "listed");
  assert.deepEqual(await byTopic(), []);
});

test("subscription ARNs are checked", async () => {
  const unsubscribe = (SubscriptionArn: string) => scene.sns.unsubscribe({ SubscriptionArn });
  await invalid(unsubscribe(""), "SubscriptionArn Reason: no value for required parameter");
  await invalid(
    unsubscribe("x:y"),
    "SubscriptionArn Reason: An ARN must have at least 6 elements, not 2",
  );
  await invalid(unsubscribe(`${topicArn(scene, "t")}:not-a-uuid`), "SubscriptionId");
});

test("the link in a delivery unsubscribes nobody without a signature", async () => {
  const TopicArn = await makeTopic(scene.sns, "linked");
  const queue = await subscribeQueue(scene, TopicArn, "linked");
  await scene.sns.publish({ TopicArn, Message: "m" });
  const [message] = await queue.drain();
  const link = new URL(JSON.parse(message?.body ?? "").UnsubscribeURL);
  assert.equal(link.origin, scene.server.httpsUrl);
  const send = (unsigned: boolean) =>
    scene.server.send({
      service: "sns",
      method: "GET",
      path: link.pathname + link.search,
      unsigned,
    });
  assert.equal((await send(true)).status, 403);
  const listed = await scene.sns.listSubscriptionsByTopic({ TopicArn });
  assert.equal(listed.Subscriptions?.length, 1);
  const signed = await send(false);
  assert.equal(signed.status, 200, String(signed.body));
  const after = await scene.sns.listSubscriptionsByTopic({ TopicArn });
  assert.equal(after.Subscriptions?.length, 0);
});
