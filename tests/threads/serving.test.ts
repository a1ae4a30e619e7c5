// Goal: with two gateway threads no request depends on which of them got it: what one does is true
// on the other before its answer leaves, data keys are asked for once in the process, long polls
// wake up across threads, and what is told of the server is told of both.
// Method: one server with two threads, and clients whose connections are known to be on one thread
// or the other. The twins are in parts.test.ts: the same parts without what connects them.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { publicKeyOf } from "../../src/crypto/wrap.ts";
import { importedSymmetricKey } from "../harness/import-key.ts";
import { refusal, type TestServer } from "../harness/server.ts";
import { type ThreadClients, type TwoThreads, twoThreads } from "./both.ts";

let scene: TwoThreads;
let one: ThreadClients;
let two: ThreadClients;
before(async () => {
  scene = await twoThreads();
  [one, two] = await scene.both();
});
after(() => scene?.stop());

const bothWays = () =>
  [
    [one, two],
    [two, one],
  ] as const;

const allow = (Action: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource: "*" }],
});

test("both threads answer, and metrics are those of both", async () => {
  const { server, metric } = scene;
  const { QueueUrl } = await one.sqs.createQueue({ QueueName: "q" });
  const labels = 'service="sqs",operation="SendMessage",code="ok"';
  const before = await metric(`sealpost_requests_total{${labels}}`);
  for (const clients of [one, two, two]) {
    await clients.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
  }
  const threads = [1, 2].map((n) => metric(`sealpost_thread_requests_total{thread="${n}"}`));
  ok(
    (await Promise.all(threads)).every((count) => count > 0),
    "both were hit",
  );
  equal((await metric(`sealpost_requests_total{${labels}}`)) - before, 3);
  const queue = `{account="${server.accountId}",region="${server.region}",queue="q"}`;
  equal(await metric(`sealpost_sqs_number_of_messages_sent_total${queue}`), 3);
  await two.sqs.deleteQueue({ QueueUrl });
  await server.advance(61);
  await one.sqs.createQueue({ QueueName: "q" });
  await one.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
  equal(await metric(`sealpost_sqs_number_of_messages_sent_total${queue}`), 1, "counted anew");
});

test("a right taken on one thread is gone on the other with the answer", async () => {
  const { server, both } = scene;
  const { QueueUrl } = await one.sqs.createQueue({ QueueName: "q" });
  const bob = await server.createUser("bob", allow("sqs:*"));
  const [bobOne, bobTwo] = await both(bob);
  const PolicyDocument = JSON.stringify(allow("sqs:*"));
  const policy = { UserName: "bob", PolicyName: "test" };
  const turns = [
    { by: one, there: bobTwo },
    { by: two, there: bobOne },
  ];
  for (let round = 0; round < 10; round += 1) {
    for (const { by, there } of turns) {
      // Reads leave no commit that the store could refuse: only the feed tells.
      const read = () => refusal(there.sqs.getQueueAttributes({ QueueUrl }));
      equal(await read(), undefined);
      await by.iam.deleteUserPolicy(policy);
      equal((await read())?.name, "AccessDenied");
      await by.iam.putUserPolicy({ ...policy, PolicyDocument });
      equal(await read(), undefined);
    }
  }
  await one.iam.updateAccessKey({
    UserName: "bob",
    AccessKeyId: bob.accessKeyId,
    Status: "Inactive",
  });
  equal((await refusal(bobTwo.sqs.getQueueAttributes({ QueueUrl })))?.name, "InvalidClientTokenId");
});

interface Encrypted {
  readonly topicArn: string;
  readonly queueUrl: string;
  readonly keyId: string;
}

async function encrypted({ sns, sqs, kms }: ThreadClients, server: TestServer): Promise<Encrypted> {
  const everyone = { Effect: "Allow", Action: "kms:*", Resource: "*" };
  const root = { AWS: `arn:aws:iam::${server.accountId}:root` };
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { ...everyone, Principal: root },
      { ...everyone, Principal: { Service: "sns.amazonaws.com" } },
    ],
  });
  const { KeyMetadata } = await kms.createKey({ Policy });
  const keyId = KeyMetadata?.KeyId ?? "";
  const encryption = { KmsMasterKeyId: keyId };
  const { TopicArn = "" } = await sns.createTopic({ Name: "t", Attributes: encryption });
  const queueArn = `arn:aws:sqs:${server.region}:${server.accountId}:inbox`;
  const sender = { Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage" };
  const statement = { Effect: "Allow", Resource: queueArn, ...sender };
  const queuePolicy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const Attributes = { ...encryption, Policy: queuePolicy };
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "inbox", Attributes });
  await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queueArn });
  return { topicArn: TopicArn, queueUrl: QueueUrl, keyId };
}

test("data keys are asked for once in a period, whichever thread publishes or receives", async () => {
  const { server, metric } = scene;
  const { topicArn, queueUrl } = await encrypted(one, server);
  const publish = ({ sns }: ThreadClients) => sns.publish({ TopicArn: topicArn, Message: "m" });
  const uses = async () => [
    await metric('sealpost_kms_uses_total{operation="GenerateDataKey",via="sns.amazonaws.com"}'),
    await metric('sealpost_kms_uses_total{operation="Decrypt",via="sns.amazonaws.com"}'),
    await metric('sealpost_kms_uses_total{operation="Decrypt",via="sqs.amazonaws.com"}'),
  ];
  const receiveAll = async () => {
    let count = 0;
    for (let turn = 0; count < 8; turn += 1) {
      const { sqs } = turn % 2 === 0 ? one : two;
      const request = { QueueUrl: queueUrl, MaxNumberOfMessages: 2 };
      const { Messages = [] } = await sqs.receiveMessage(request);
      for (const { Body = "" } of Messages) {
        const envelope = JSON.parse(Body) as { Message: string; Signature: string };
        equal(envelope.Message, "m");
        match(envelope.Signature, /^[A-Za-z0-9+/=]{344}$/);
      }
      count += Messages.length;
    }
  };
  await Promise.all([one, two, two, one].map(publish));
  await Promise.all([two, one, one, two].map(publish));
  // Topic and queue: a key each, and AWS checks the topic's by a Decrypt.
  deepEqual((await uses()).slice(0, 2), [2, 1]);
  await receiveAll();
  deepEqual(await uses(), [2, 1, 1]);
  await server.advance(300);
  await Promise.all([two, one, one, two, one, two, two, one].map(publish));
  await receiveAll();
  deepEqual(await uses(), [4, 2, 2]);
});

test("key material deleted on one thread closes what is cached on the other at once", async () => {
  for (const [by, there] of bothWays()) {
    const KeyId = await importedSymmetricKey(by.kms);
    const Attributes = { KmsMasterKeyId: KeyId, KmsDataKeyReusePeriodSeconds: "86400" };
    const { QueueUrl } = await by.sqs.createQueue({ QueueName: `q-${KeyId}`, Attributes });
    const send = () => refusal(there.sqs.sendMessage({ QueueUrl, MessageBody: "m" }));
    equal(await send(), undefined);
    await by.kms.deleteImportedKeyMaterial({ KeyId });
    // The data key there was good for a day.
    equal((await send())?.name, "KmsInvalidState");
  }
});

test("a long poll on one thread wakes up by a send on the other, and by the clock", async () => {
  const { server } = scene;
  const { QueueUrl } = await one.sqs.createQueue({ QueueName: "polled" });
  for (const [sender, receiver] of bothWays()) {
    for (const DelaySeconds of [0, 0, 0, 60]) {
      const waiting = receiver.sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
      await sender.sqs.sendMessage({ QueueUrl, MessageBody: "hello", DelaySeconds });
      if (DelaySeconds > 0) await server.advance(DelaySeconds);
      const { Messages = [] } = await waiting;
      equal(Messages[0]?.Body, "hello");
      await receiver.sqs.deleteMessage({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle });
    }
  }
});

test("a FIFO topic numbers what both threads publish, and knows duplicates of both", async () => {
  const Attributes = { FifoTopic: "true" };
  const { TopicArn } = await one.sns.createTopic({ Name: "t.fifo", Attributes });
  const publish = ({ sns }: ThreadClients, n: number) =>
    sns.publish({
      TopicArn,
      Message: "m",
      MessageGroupId: "g",
      MessageDeduplicationId: String(n),
    });
  const numbers = Array.from({ length: 30 }, (_, n) => n);
  const asked = numbers.flatMap((n) => [publish(one, n), publish(two, n)]);
  const answers = await Promise.all(asked);
  const sequences = new Set(answers.map(({ SequenceNumber }) => SequenceNumber));
  equal(sequences.size, 30, "each is published once, whichever thread was first");
});

test("what happened on one thread is explained, and told of, by the other", async () => {
  const { server, both } = scene;
  const carol = await server.createUser("carol");
  const [, carolTwo] = await both(carol);
  const denied = await carolTwo.sns.createTopic({ Name: "t" }).catch((error) => error);
  const { requestId } = denied.$metadata;
  const query = `requestId=${requestId}`;
  const path = `/_sealpost/doctor/explain?${query}`;
  // Connections of `send` come to either thread.
  for (let times = 0; times < 6; times += 1) {
    const answer = await server.send({ service: "sealpost", method: "GET", path });
    equal(answer.status, 200, answer.body);
    match(answer.body, /sns:CreateTopic/);
  }
  const use = await one.iam.getAccessKeyLastUsed({ AccessKeyId: carol.accessKeyId });
  equal(use.AccessKeyLastUsed?.ServiceName, "sns");
});

test("a backup goes out whole by either thread; refusals come as they should", async () => {
  const { server } = scene;
  const request = { service: "sealpost", path: "/_sealpost/backup", method: "POST" };
  const headers = { "content-type": "application/json" };
  const publicKey = (await publicKeyOf(randomBytes(32))).toString("base64");
  const body = JSON.stringify({ recipients: [{ publicKey }] });
  // Connections of `send` come to either thread.
  for (let times = 0; times < 4; times += 1) {
    const backup = await server.send({ ...request, headers, body });
    equal(backup.status, 200);
    ok(backup.body.length > 10_000, `${backup.body.length} characters`);
    const refused = await server.send({ ...request, headers, body: `{"recipients":[]}` });
    equal(refused.status, 400);
    match(refused.body, /1 to 16 backup keys/);
    equal((await server.send({ ...request, path: "/_sealpost/nothing" })).status, 404);
  }
});
