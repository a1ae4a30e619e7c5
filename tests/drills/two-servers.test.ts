// Goal: no request depends on which process got it: what one server does is true on the other at
// once or within a second, FIFO and deduplication hold over both, long polls wake up across them,
// and the periodic work moves when its process goes.
// Method: two servers in this process on one schema of a real PostgreSQL, each with its own data
// folder, real clients of both. Waits end when the thing is seen, never by a clock.
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { importedSymmetricKey } from "../harness/import-key.ts";
import { movableClock } from "../harness/movable-clock.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { shareKey } from "./servers.ts";

interface Two {
  readonly one: TestServer;
  readonly two: TestServer;
  readonly schema: string;
}

/** `aheadSeconds`: how far the clock of the second one's host is ahead. */
async function twoServers(t: TestContext, aheadSeconds = 0): Promise<Two> {
  const cluster = await sharedCluster();
  const store = cluster.newStoreUrl();
  const schema = new URL(store).searchParams.get("schema") ?? "";
  const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), "sealpost-two-")));
  const [first = "", second = ""] = folders;
  const flags = { store, clock: "system" };
  const one = await startTestServer({ dataFolder: first, flags });
  t.after(async () => {
    await one.stop();
    rmSync(first, { recursive: true, force: true });
  });
  shareKey(first, second);
  const systemClock = movableClock();
  systemClock.move(aheadSeconds);
  const two = await startTestServer({ dataFolder: second, flags, systemClock });
  t.after(async () => {
    await two.stop();
    rmSync(second, { recursive: true, force: true });
  });
  return { one, two, schema };
}

async function eventually(what: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await what())) {
    if (performance.now() > until) throw new Error("it did not come");
    await pause(20);
  }
}

test("a queue made here is used there; a right taken here is gone there", async (t) => {
  const { one, two } = await twoServers(t);
  const { QueueUrl } = await one.rootClients.sqs.createQueue({ QueueName: "orders" });
  const user = await one.createUser("bob", {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
  });
  const there = two.clients(user).sqs;
  const send = () => refusal(there.sendMessage({ QueueUrl, MessageBody: "m" }));
  await eventually(async () => (await send()) === undefined);
  await one.rootClients.iam.deleteUserPolicy({ UserName: "bob", PolicyName: "test" });
  // No cached right survives a commit: the store refuses what was decided under the old policy.
  equal((await send())?.name, "AccessDenied");
  await one.rootClients.iam.updateAccessKey({
    UserName: "bob",
    AccessKeyId: user.accessKeyId,
    Status: "Inactive",
  });
  await eventually(async () => (await send())?.name === "InvalidClientTokenId");
});

test("a key of KMS disabled here encrypts nothing there", async (t) => {
  const { one, two } = await twoServers(t);
  const { KeyMetadata } = await one.rootClients.kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const Plaintext = Buffer.from("text");
  const { CiphertextBlob } = await two.rootClients.kms.encrypt({ KeyId, Plaintext });
  const opened = await one.rootClients.kms.decrypt({ CiphertextBlob });
  deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext);
  await one.rootClients.kms.disableKey({ KeyId });
  await eventually(async () => {
    const refused = await refusal(two.rootClients.kms.encrypt({ KeyId, Plaintext }));
    return refused?.name === "DisabledException";
  });
});

test("key material deleted here closes what is cached there", async (t) => {
  const { one, two } = await twoServers(t);
  const KeyId = await importedSymmetricKey(one.rootClients.kms);
  const Attributes = { KmsMasterKeyId: KeyId, KmsDataKeyReusePeriodSeconds: "86400" };
  const { QueueUrl } = await one.rootClients.sqs.createQueue({ QueueName: "closed", Attributes });
  const send = () => refusal(two.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "m" }));
  await eventually(async () => (await send()) === undefined);
  await one.rootClients.kms.deleteImportedKeyMaterial({ KeyId });
  // The data key on the other server was good for a day.
  await eventually(async () => (await send())?.name === "KmsInvalidState");
});

test("a long poll there wakes up by a send here", async (t) => {
  const { one, two } = await twoServers(t);
  const { QueueUrl } = await one.rootClients.sqs.createQueue({ QueueName: "polled" });
  const waiting = two.rootClients.sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
  await pause(300);
  await one.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "hello" });
  const { Messages = [] } = await waiting;
  deepEqual(
    Messages.map(({ Body }) => Body),
    ["hello"],
  );
});

test("FIFO order and deduplication hold over both", async (t) => {
  const { one, two } = await twoServers(t);
  const { QueueUrl } = await one.rootClients.sqs.createQueue({
    QueueName: "ordered.fifo",
    Attributes: { FifoQueue: "true" },
  });
  const servers = [one, two];
  const sent: string[] = [];
  for (let number = 0; number < 40; number += 1) {
    const body = `m${number}`;
    const message = {
      QueueUrl,
      MessageBody: body,
      MessageGroupId: "g",
      MessageDeduplicationId: body,
    };
    // The same message through both at once: one of them put it in, both tell its number.
    const [a, b] = await Promise.all(
      servers.map((server) => server.rootClients.sqs.sendMessage(message)),
    );
    equal(a?.SequenceNumber, b?.SequenceNumber);
    sent.push(body);
  }
  const came: string[] = [];
  for (let turn = 0; came.length < sent.length && turn < 100; turn += 1) {
    const { sqs } = (servers[turn % 2] ?? one).rootClients;
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 7 });
    for (const { Body = "", ReceiptHandle } of Messages) {
      came.push(Body);
      await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
  deepEqual(came, sent);
});

test("FIFO topics keep their order when both publish", async (t) => {
  const { one, two } = await twoServers(t);
  const { TopicArn } = await one.rootClients.sns.createTopic({
    Name: "news.fifo",
    Attributes: { FifoTopic: "true", ContentBasedDeduplication: "true" },
  });
  const publish = (server: TestServer, Message: string) =>
    server.rootClients.sns.publish({ TopicArn, Message, MessageGroupId: "g" });
  await eventually(async () => (await refusal(publish(two, "first"))) === undefined);
  const numbers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => publish(index % 2 ? one : two, `m${index}`)),
  );
  // One line for both: no number is given twice.
  equal(new Set(numbers.map(({ SequenceNumber }) => SequenceNumber)).size, 20);
});

test("a move task begun where the periodic work is not done is carried out", async (t) => {
  const { two } = await twoServers(t);
  const { sqs } = two.rootClients;
  const queue = async (QueueName: string, Attributes = {}) => {
    const { QueueUrl } = await sqs.createQueue({ QueueName, Attributes });
    const asked = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["QueueArn"] });
    return { QueueUrl, arn: asked.Attributes?.QueueArn ?? "" };
  };
  const dead = await queue("dead");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
  await queue("orders", { RedrivePolicy });
  const { QueueUrl, arn: DestinationArn } = await queue("moved");
  await sqs.sendMessage({ QueueUrl: dead.QueueUrl, MessageBody: "m" });
  await sqs.startMessageMoveTask({ SourceArn: dead.arn, DestinationArn });
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 });
  equal(Messages[0]?.Body, "m");
});

test("the database's time rules, not that of the hosts", async (t) => {
  const { one, two, schema } = await twoServers(t, 3_600);
  const { QueueUrl } = await one.rootClients.sqs.createQueue({ QueueName: "timed" });
  await two.rootClients.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
  const receive = async ({ rootClients }: TestServer) => {
    const MessageSystemAttributeNames = ["SentTimestamp" as const];
    const asked = { QueueUrl, MessageSystemAttributeNames, VisibilityTimeout: 600 };
    return (await rootClients.sqs.receiveMessage(asked)).Messages ?? [];
  };
  const [message] = await receive(one);
  const ageMs = Date.now() - Number(message?.Attributes?.SentTimestamp);
  equal(ageMs >= -1_000 && ageMs < 60_000, true, "sent by the database's time");
  // By the host's clock it would be visible there since long.
  deepEqual(await receive(two), []);
  // Nor does the lease of the periodic work end earlier for a host that is ahead.
  const cluster = await sharedCluster();
  const lease = async () => {
    const [row] = await cluster.sql(
      `SELECT holder, until_ms - extract(epoch FROM clock_timestamp()) * 1000 AS "leftMs"
         FROM ${schema}.leases WHERE name = 'jobs'`,
    );
    return { holder: row?.holder, leftMs: Number(row?.leftMs) };
  };
  const before = await lease();
  equal(before.leftMs > 0 && before.leftMs <= 8_000, true);
  await one.halt();
  await eventually(async () => ![undefined, before.holder].includes((await lease()).holder));
  equal((await lease()).leftMs <= 8_000, true);
});

test("the periodic work moves to the other process when its own stops", async (t) => {
  const { one, two, schema } = await twoServers(t);
  const cluster = await sharedCluster();
  const holder = async () => {
    const [row] = await cluster.sql(`SELECT holder FROM ${schema}.leases WHERE name = 'jobs'`);
    return row?.holder;
  };
  const first = await holder();
  notEqual(first, undefined);
  await one.halt();
  await eventually(async () => ![undefined, first].includes((await holder()) as string));
  equal((await two.rootClients.sqs.listQueues({})).$metadata.httpStatusCode, 200);
});
