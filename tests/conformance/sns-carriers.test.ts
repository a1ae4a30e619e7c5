// Goal: functions and mailboxes are subscribed, confirmed where they must be, and get what AWS would
// send them; delivery status lies in its files. Method: the real SDK client, a receiver that stands
// for Lambda, a small mail server, all on loopback.
import assert from "node:assert/strict";
import { verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startMailServer } from "../delivery/mail-server.ts";
import { startReceiver } from "../delivery/receiver.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { makeTopic, queueArn, type SnsScene } from "./sns-scene.ts";

async function sceneWith(t: TestContext, flags: object): Promise<SnsScene> {
  const server = await startTestServer({ flags: { deliveryAllow: ["127.0.0.0/8"], ...flags } });
  t.after(() => server.stop());
  return { server, accountId: server.accountId, ...server.rootClients };
}

const role = (scene: SnsScene) => `arn:aws:iam::${scene.accountId}:role/logs`;

/** Files are written behind the answers: asks the server something until they are there. */
async function statusEvents(server: TestServer, group: string) {
  const folder = join(server.dataFolder, "delivery-status/sns/us-east-1", server.accountId);
  const file = join(folder, group);
  for (let tries = 0; tries < 500 && !existsSync(file); tries += 1) await server.advance(0);
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("a function of the subscriber's account gets AWS's event, and status logs tell of it", async (t) => {
  const lambda = await startReceiver();
  t.after(() => lambda.close());
  lambda.answer = (_request, response) => void response.writeHead(202).end();
  const scene = await sceneWith(t, { lambdaEndpoint: [lambda.url] });
  const { sns, server } = scene;
  const TopicArn = await makeTopic(sns, "functions", {
    SignatureVersion: "2",
    LambdaSuccessFeedbackRoleArn: role(scene),
    LambdaFailureFeedbackRoleArn: role(scene),
  });
  const Endpoint = `arn:aws:lambda:us-east-1:${scene.accountId}:function:f`;
  const { SubscriptionArn } = await sns.subscribe({ TopicArn, Protocol: "lambda", Endpoint });
  assert.match(SubscriptionArn ?? "", /:[0-9a-f-]{36}$/);
  const MessageAttributes = {
    n: { DataType: "Number", StringValue: "5" },
    b: { DataType: "Binary", BinaryValue: Buffer.from("x") },
  };
  await sns.publish({ TopicArn, Message: "hi", MessageAttributes });
  const [request] = await lambda.waitFor(1);
  const { Records } = JSON.parse(request?.body ?? "");
  assert.equal(Records.length, 1);
  const [{ Sns, ...record }] = Records;
  assert.deepEqual(record, {
    EventSource: "aws:sns",
    EventVersion: "1.0",
    EventSubscriptionArn: SubscriptionArn,
  });
  assert.equal(Sns.Subject, null);
  assert.equal(Sns.SignatureVersion, "1", "AWS: whatever the version is");
  assert.deepEqual(Sns.MessageAttributes, {
    n: { Type: "String", Value: "5" },
    b: { Type: "Binary", Value: "eA==" },
  });
  const certificate = await server.send({
    service: "sns",
    method: "GET",
    unsigned: true,
    path: new URL(Sns.SigningCertUrl).pathname,
  });
  const text =
    `Message\nhi\nMessageId\n${Sns.MessageId}\nTimestamp\n${Sns.Timestamp}\n` +
    `TopicArn\n${TopicArn}\nType\nNotification\n`;
  const signature = Buffer.from(Sns.Signature, "base64");
  assert.ok(verify("sha256", Buffer.from(text), certificate.body, signature));
  lambda.answer = (_request, response) => void response.writeHead(403).end("no");
  await sns.publish({ TopicArn, Message: "refused" });
  await lambda.waitFor(2);
  await server.advance(1);
  const [success] = await statusEvents(server, "functions.jsonl");
  assert.equal(success.status, "SUCCESS");
  assert.equal(success.delivery.statusCode, 202);
  assert.equal(success.delivery.destination, Endpoint);
  const [failure] = await statusEvents(server, "functions/Failure.jsonl");
  assert.equal(failure.delivery.statusCode, 403);
});

test("a refused queue leaves AWS's failure event", async (t) => {
  const scene = await sceneWith(t, {});
  const { sns, server } = scene;
  const TopicArn = await makeTopic(sns, "queues", { SQSFailureFeedbackRoleArn: role(scene) });
  await scene.sqs.createQueue({ QueueName: "closed" });
  await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queueArn(scene, "closed") });
  await sns.publish({ TopicArn, Message: "m" });
  await server.advance(1);
  const [event] = await statusEvents(server, "queues/Failure.jsonl");
  assert.equal(event.status, "FAILURE");
  assert.equal(event.delivery.statusCode, 403);
  assert.equal(event.delivery.attempts, 1);
  assert.match(JSON.parse(event.delivery.providerResponse).ErrorCode, /AccessDenied/);
});

test("a mailbox confirms by its link, and leaves by another", async (t) => {
  const mail = await startMailServer(t);
  const scene = await sceneWith(t, { smtp: `smtp://127.0.0.1:${mail.port}?from=sns@example.com` });
  const { sns, server } = scene;
  const TopicArn = await makeTopic(sns, "mails", { DisplayName: "Ops" });
  const subscribe = (Protocol: string, Endpoint: string) =>
    sns.subscribe({ TopicArn, Protocol, Endpoint });
  /** The mail, with the soft line breaks of its encoding undone. */
  const taken = () => mail.lines.join("\n").replaceAll("=\n", "").replaceAll("=3D", "=");
  const link = (action: string) =>
    new RegExp(`https://\\S*Action=${action}\\S*`).exec(taken())?.[0] ?? "";
  const open = (address: string) => {
    const { pathname, search } = new URL(address);
    return server.send({ service: "sns", method: "GET", unsigned: true, path: pathname + search });
  };
  assert.equal((await subscribe("email", "a@b.example")).SubscriptionArn, "pending confirmation");
  await server.advance(1);
  assert.ok(taken().includes("RCPT TO:<a@b.example>"));
  assert.ok(taken().includes("Subject: AWS Notification - Subscription Confirmation"));
  assert.equal((await open(link("ConfirmSubscription"))).status, 200);
  mail.lines.length = 0;
  await sns.publish({ TopicArn, Message: "disk is full", Subject: "alarm" });
  await server.advance(1);
  assert.ok(taken().includes("Subject: alarm"));
  assert.ok(taken().includes("From: Ops <sns@example.com>"));
  assert.ok(taken().includes("disk is full"));
  assert.equal((await open(link("Unsubscribe"))).status, 200);
  mail.lines.length = 0;
  await subscribe("email-json", "c@d.example");
  await server.advance(1);
  await open(link("ConfirmSubscription"));
  mail.lines.length = 0;
  await sns.publish({ TopicArn, Message: "m" });
  await server.advance(1);
  assert.ok(taken().includes("Subject: AWS Notification Message"));
  assert.ok(taken().includes('"Type" : "Notification"'));
  assert.equal(taken().includes("a@b.example"), false, "it has left");
});
