// Goal: http endpoints are asked for their confirmation, get signed notifications with AWS's
// headers, can leave by a link, and see nobody's password. Method: the real SDK client, a server
// with a virtual clock, a receiver on loopback, and the validator that AWS gives its customers.
import assert from "node:assert/strict";
import { verify } from "node:crypto";
import { after, before, test } from "node:test";
import { type Receiver, startReceiver } from "../delivery/receiver.ts";
import { filesWith, formsOf } from "../encryption/files.ts";
import { startTestServer } from "../harness/server.ts";
import { invalid, makeTopic, refuses, type SnsScene, topicArn, undelivered } from "./sns-scene.ts";
import { validate } from "./sns-validator.ts";

let scene: SnsScene;
let receiver: Receiver;
before(async () => {
  const server = await startTestServer({ flags: { deliveryAllow: ["127.0.0.0/8"] } });
  scene = { server, accountId: server.accountId, ...server.rootClients };
});
after(() => scene.server.stop());

async function fresh(t: { after(act: () => Promise<void>): void }): Promise<Receiver> {
  receiver = await startReceiver();
  t.after(() => receiver.close());
  return receiver;
}

const filesHolding = (folder: string, text: string) =>
  filesWith(folder, formsOf(Buffer.from(text)));

const subscribe = (TopicArn: string, Endpoint: string, Attributes?: Record<string, string>) =>
  scene.sns.subscribe({ TopicArn, Protocol: "http", Endpoint, Attributes });

/** Opens a link of a message as a receiver does: without a signature. */
function open(link: string) {
  const { pathname, search } = new URL(link);
  return scene.server.send({
    service: "sns",
    method: "GET",
    unsigned: true,
    path: pathname + search,
  });
}

async function confirmed(TopicArn: string, endpoint = receiver.url, attributes = {}) {
  await subscribe(TopicArn, endpoint, attributes);
  const [request] = (await receiver.waitFor(1)).slice(-1);
  const answer = await open(JSON.parse(request?.body ?? "").SubscribeURL);
  assert.equal(answer.status, 200, answer.body);
  receiver.requests.length = 0;
  const { Subscriptions = [] } = await scene.sns.listSubscriptionsByTopic({ TopicArn });
  return Subscriptions[0]?.SubscriptionArn ?? "";
}

/** AWS: the token of both confirmations is signed; sns-validator leaves it out of one of them. */
async function verifyWithToken(message: Record<string, string>): Promise<void> {
  const { pathname } = new URL(message.SigningCertURL ?? "");
  const certificate = await scene.server.send({
    service: "sns",
    method: "GET",
    unsigned: true,
    path: pathname,
  });
  const names = "Message MessageId SubscribeURL Timestamp Token TopicArn Type".split(" ");
  const text = names.map((name) => `${name}\n${message[name]}\n`).join("");
  const signature = Buffer.from(message.Signature ?? "", "base64");
  assert.ok(verify("sha1", Buffer.from(text), certificate.body, signature));
}

test("a subscription is pending until its token comes back", async (t) => {
  const { url } = await fresh(t);
  const { sns, server } = scene;
  const TopicArn = await makeTopic(sns, "confirming", { KmsMasterKeyId: "alias/aws/sns" });
  const { SubscriptionArn } = await subscribe(TopicArn, `${url}/hook`);
  assert.equal(SubscriptionArn, "pending confirmation");
  const [request] = await receiver.waitFor(1);
  const message = JSON.parse(request?.body ?? "");
  assert.deepEqual(Object.keys(message), [
    "Type",
    "MessageId",
    "Token",
    "TopicArn",
    "Message",
    "SubscribeURL",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
  ]);
  assert.equal(request?.path, "/hook");
  assert.equal(request?.method, "POST");
  assert.equal(message.Type, "SubscriptionConfirmation");
  assert.match(message.Token, /^[0-9a-f]{288}$/);
  assert.equal(
    message.SubscribeURL,
    `${server.httpsUrl}/?Action=ConfirmSubscription&TopicArn=${TopicArn}&Token=${message.Token}`,
  );
  const { headers } = request ?? {};
  assert.equal(headers?.["x-amz-sns-message-type"], "SubscriptionConfirmation");
  assert.equal(headers?.["x-amz-sns-message-id"], message.MessageId);
  assert.equal(headers?.["x-amz-sns-topic-arn"], TopicArn);
  assert.equal(headers?.["x-amz-sns-subscription-arn"], undefined);
  assert.equal(headers?.["content-type"], "text/plain; charset=UTF-8");
  assert.equal(headers?.["user-agent"], "Amazon Simple Notification Service Agent");
  await validate(scene.server.ca, message);
  await assert.rejects(validate(scene.server.ca, { ...message, Token: "0" }));

  const [listed] = (await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions ?? [];
  assert.equal(listed?.SubscriptionArn, "PendingConfirmation");
  const counts = async () => (await sns.getTopicAttributes({ TopicArn })).Attributes;
  assert.equal((await counts())?.SubscriptionsPending, "1");
  await sns.publish({ TopicArn, Message: "too early" });
  const confirm = (Token: string, arn = TopicArn) =>
    sns.confirmSubscription({ TopicArn: arn, Token });
  await refuses(confirm("x"), "InvalidParameterException", 400, "Invalid token");
  await invalid(confirm("0".repeat(288)), "Token");
  await invalid(confirm(message.Token, "nonsense"), "Topic");
  await invalid(confirm(message.Token, topicArn(scene, "t", "eu-west-1")), "Topic");
  assert.deepEqual(filesHolding(server.dataFolder, message.Token), [], "tokens are hashed");
  const answer = await confirm(message.Token, topicArn(scene, "another"));
  assert.match(answer.SubscriptionArn ?? "", new RegExp(`^${TopicArn}:`));
  assert.equal((await confirm(message.Token)).SubscriptionArn, answer.SubscriptionArn);
  assert.equal((await counts())?.SubscriptionsPending, "0");
  assert.equal((await counts())?.SubscriptionsConfirmed, "1");
  const { Attributes } = await sns.getSubscriptionAttributes({
    SubscriptionArn: answer.SubscriptionArn,
  });
  assert.equal(Attributes?.ConfirmationWasAuthenticated, "true");
  assert.match(Attributes?.EffectiveDeliveryPolicy ?? "", /^\{"healthyRetryPolicy":/);
  assert.equal(receiver.requests.length, 1);
});

for (const version of ["1", "2"]) {
  test(`notifications carry a signature of version ${version} that sns-validator accepts`, async (t) => {
    await fresh(t);
    const TopicArn = await makeTopic(scene.sns, `signed-${version}`, { SignatureVersion: version });
    const subscription = await confirmed(TopicArn);
    const MessageAttributes = { kind: { DataType: "String", StringValue: "x" } };
    const sent = { TopicArn, Message: "höhe\n2", Subject: "s", MessageAttributes };
    const { MessageId } = await scene.sns.publish(sent);
    const [request] = await receiver.waitFor(1);
    const message = JSON.parse(request?.body ?? "");
    assert.equal(message.MessageId, MessageId);
    assert.equal(message.Message, "höhe\n2");
    assert.equal(message.SignatureVersion, version);
    assert.deepEqual(message.MessageAttributes, { kind: { Type: "String", Value: "x" } });
    assert.equal(request?.headers["x-amz-sns-message-type"], "Notification");
    assert.equal(request?.headers["x-amz-sns-subscription-arn"], subscription);
    await validate(scene.server.ca, message);
    await assert.rejects(
      validate(scene.server.ca, { ...message, Message: "forged" }),
      /signature/i,
    );
  });
}

test("raw delivery is the message alone", async (t) => {
  await fresh(t);
  const TopicArn = await makeTopic(scene.sns, "raw");
  await confirmed(TopicArn, receiver.url, {
    RawMessageDelivery: "true",
    DeliveryPolicy: '{"requestPolicy":{"headerContentType":"application/json"}}',
  });
  await scene.sns.publish({ TopicArn, Message: '{"a":1}' });
  const [request] = await receiver.waitFor(1);
  assert.equal(request?.body, '{"a":1}');
  assert.equal(request?.headers["x-amz-sns-rawdelivery"], "true");
  assert.equal(request?.headers["content-type"], "application/json");
});

test("the unsubscribe link works without a signature, and can be taken back", async (t) => {
  await fresh(t);
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "leaving");
  const subscription = await confirmed(TopicArn);
  await sns.publish({ TopicArn, Message: "m" });
  const [notification] = await receiver.waitFor(1);
  const left = await open(JSON.parse(notification?.body ?? "").UnsubscribeURL);
  assert.equal(left.status, 200, left.body);
  const listed = async () => (await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions;
  assert.deepEqual(await listed(), []);
  const [, told] = await receiver.waitFor(2);
  const message = JSON.parse(told?.body ?? "");
  assert.equal(message.Type, "UnsubscribeConfirmation");
  assert.equal(told?.headers["x-amz-sns-message-type"], "UnsubscribeConfirmation");
  await verifyWithToken(message);
  assert.equal((await open(message.SubscribeURL)).status, 200);
  assert.equal((await listed())?.[0]?.SubscriptionArn, subscription);
  await sns.publish({ TopicArn, Message: "back" });
  const [, , again] = await receiver.waitFor(3);
  assert.equal(JSON.parse(again?.body ?? "").Message, "back");
});

test("with AuthenticateOnUnsubscribe the link is not enough", async (t) => {
  await fresh(t);
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "staying");
  await subscribe(TopicArn, receiver.url);
  const [request] = await receiver.waitFor(1);
  const { Token } = JSON.parse(request?.body ?? "");
  const { SubscriptionArn } = await sns.confirmSubscription({
    TopicArn,
    Token,
    AuthenticateOnUnsubscribe: "true",
  });
  const link = `${scene.server.httpsUrl}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}`;
  assert.equal((await open(link)).status, 403);
  await sns.unsubscribe({ SubscriptionArn });
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, []);
  await scene.server.advance(1);
  assert.equal(receiver.requests.length, 1, "the owner's own doing is no news");
});

test("an unconfirmed subscription goes by itself, and its token with it", async (t) => {
  await fresh(t);
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "forgotten");
  await subscribe(TopicArn, receiver.url);
  const [request] = await receiver.waitFor(1);
  const { Token } = JSON.parse(request?.body ?? "");
  const ReturnSubscriptionArn = true;
  const again = { TopicArn, Protocol: "http", Endpoint: receiver.url, ReturnSubscriptionArn };
  const { SubscriptionArn = "" } = await sns.subscribe(again);
  await invalid(sns.unsubscribe({ SubscriptionArn }), /pending confirmation/);
  await scene.server.advance(2 * 86_400 + 7200);
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, []);
  await invalid(sns.confirmSubscription({ TopicArn, Token }), "Token");
});

test("a password in an endpoint is sealed, masked, and given to whom asks for it only", async (t) => {
  await fresh(t);
  const { sns, server } = scene;
  const TopicArn = await makeTopic(sns, "secret");
  const password = "s3cret-pa55";
  receiver.answer = ({ headers }, response) => {
    if (headers.authorization) return void response.end();
    response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
  };
  const endpoint = receiver.url.replace("//", `//user:${password}@`);
  await subscribe(TopicArn, endpoint);
  const [first, second] = await receiver.waitFor(2);
  assert.equal(first?.headers.authorization, undefined);
  const basic = `Basic ${Buffer.from(`user:${password}`).toString("base64")}`;
  assert.equal(second?.headers.authorization, basic);
  await open(JSON.parse(second?.body ?? "").SubscribeURL);
  const [listed] = (await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions ?? [];
  assert.equal(listed?.Endpoint, endpoint.replace(password, "****"));
  const { Events = [] } = await scene.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "Subscribe" }],
  });
  assert.ok(JSON.stringify(Events).includes("user:****@"));
  assert.equal(JSON.stringify(Events).includes(password), false);
  assert.deepEqual(filesHolding(server.dataFolder, password), []);
  await subscribe(TopicArn, endpoint);
  await subscribe(TopicArn, endpoint.replace(password, "other"));
  const { Attributes } = await sns.getTopicAttributes({ TopicArn });
  assert.equal(Attributes?.SubscriptionsPending, "1", "another password is another endpoint");
});

test("private targets are refused unless the operator opens them", async (t) => {
  const closed = await startTestServer();
  t.after(() => closed.stop());
  const { url } = await fresh(t);
  const { sns } = closed.rootClients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "t" });
  const ports = [url, "http://localhost:1", "http://169.254.169.254/latest", "http://[::1]:1"];
  for (const Endpoint of [...ports, closed.httpUrl]) {
    await sns.subscribe({ TopicArn, Protocol: "http", Endpoint });
  }
  await closed.advance(1);
  const failed = await undelivered({ ...scene, server: closed });
  assert.equal(failed.length, 5);
  assert.ok(failed.every(({ failureCode }) => failureCode === "EndpointNotAllowed"));
  assert.equal(receiver.requests.length, 0);
});
