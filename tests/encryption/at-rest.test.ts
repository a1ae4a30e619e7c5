// Goal: no body, secret access key or data key is at rest or in the log, whatever the encryption of
// queue and topic; not in the WAL, not after a move to a dead-letter queue, not when undelivered.
// Method: a server of its own, logging all, does everything once with canaries; every file of the
// data folder and every line of the log is searched for them raw, in base64, hex and UTF-16, while
// the server runs, after kill -9 and after a clean stop. The twin: what may be readable is found.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ChildServer, newDataFolder, removeFolder, startChild } from "../durability/child.ts";
import type { TestClients } from "../harness/server.ts";
import { filesWith, formsOf } from "./files.ts";
import { document } from "./scene.ts";

const flags = ["--clock", "virtual", "--log-level", "debug"];
let folder: string;
let server: ChildServer;
before(async () => {
  folder = newDataFolder();
  server = await startChild(folder, flags);
});
after(async () => {
  await server?.kill();
  removeFolder(folder);
});

const accountId = "123456789012";
const secrets = new Map<string, Buffer>();

/** A body that compresses to nothing else and is found whole in any form. */
function canary(name: string): string {
  const text = `canary-${name}-4f9d2c71b8e653a0-äöü-${name}`;
  secrets.set(name, Buffer.from(text));
  return text;
}

const modes = {
  kms: { KmsMasterKeyId: "alias/rest" },
  owned: { SqsManagedSseEnabled: "true" },
  none: { SqsManagedSseEnabled: "false" },
} as const;

async function queueOf(sqs: TestClients["sqs"], name: string, attributes: Record<string, string>) {
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: name, Attributes: attributes });
  return { url: QueueUrl, arn: `arn:aws:sqs:us-east-1:${accountId}:${name}` };
}

/** Sends, receives, dead-letters, publishes, fails to deliver: each with a body of its own. */
async function everything({ sqs, sns, kms }: TestClients): Promise<void> {
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  await kms.createAlias({ AliasName: "alias/rest", TargetKeyId: KeyId });
  for (const [mode, attributes] of Object.entries(modes)) {
    const dead = await queueOf(sqs, `dead-${mode}`, attributes);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
    const queue = await queueOf(sqs, `queue-${mode}`, { ...attributes, RedrivePolicy });
    const QueueUrl = queue.url;
    await sqs.sendMessage({ QueueUrl, MessageBody: canary(`dead-${mode}`) });
    await sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 0 });
    await sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 0 });
    const inDead = await sqs.receiveMessage({ QueueUrl: dead.url, VisibilityTimeout: 0 });
    assert.equal(inDead.Messages?.length, 1, "it moved");
    await sqs.sendMessage({ QueueUrl, MessageBody: canary(`sent-${mode}`) });
    await sqs.sendMessage({ QueueUrl, MessageBody: canary(`deleted-${mode}`) });
    const large = `${canary(`large-${mode}`)} ${"x".repeat(30_000)}`;
    const Entries = [
      { Id: "a", MessageBody: canary(`batch-${mode}`), DelaySeconds: 900 },
      { Id: "b", MessageBody: large },
    ];
    await sqs.sendMessageBatch({ QueueUrl, Entries });
    const got = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    const gone = got.Messages?.find(({ Body }) => Body?.includes("deleted"));
    await sqs.deleteMessage({ QueueUrl, ReceiptHandle: gone?.ReceiptHandle });

    const topicAttributes = mode === "kms" ? modes.kms : {};
    const { TopicArn = "" } = await sns.createTopic({
      Name: mode,
      Attributes: { ...topicAttributes },
    });
    const opened = await queueOf(sqs, `opened-${mode}`, mode === "kms" ? modes.owned : attributes);
    const other = await queueOf(sqs, `other-${mode}`, modes.owned);
    const closed = await queueOf(sqs, `closed-${mode}`, attributes);
    const Principal = { Service: "sns.amazonaws.com" };
    for (const { url, arn } of [opened, other]) {
      const Policy = document([{ Principal, Action: "sqs:SendMessage" }], arn);
      await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { Policy } });
    }
    // The first two share the body.
    for (const [index, Endpoint] of [opened.arn, other.arn, closed.arn].entries()) {
      const Attributes = { RawMessageDelivery: String(index < 2) };
      await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint, Attributes });
    }
    const Message = canary(`published-${mode}`);
    await sns.publish({
      TopicArn,
      Message,
      Subject: "readable subject",
      MessageAttributes: { a: { DataType: "String", StringValue: "readable-attribute-77" } },
    });
    for (const { url } of [opened, other]) {
      const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: url });
      assert.equal(Messages[0]?.Body, Message);
    }
  }
}

async function keysAndCredentials({ kms, iam }: TestClients): Promise<void> {
  const KeyId = "alias/rest";
  const made = await kms.generateDataKey({ KeyId, KeySpec: "AES_256" });
  secrets.set("data key", Buffer.from(made.Plaintext ?? []));
  const opened = await kms.decrypt({ CiphertextBlob: made.CiphertextBlob });
  assert.deepEqual(opened.Plaintext, made.Plaintext);
  const Plaintext = Buffer.from(canary("encrypted directly"));
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
  await kms.reEncrypt({ CiphertextBlob, DestinationKeyId: KeyId });
  const random = await kms.generateRandom({ NumberOfBytes: 32 });
  secrets.set("random", Buffer.from(random.Plaintext ?? []));
  await iam.createUser({ UserName: "rest" });
  const { AccessKey } = await iam.createAccessKey({ UserName: "rest" });
  const secretAccessKey = AccessKey?.SecretAccessKey ?? "";
  secrets.set("secret access key", Buffer.from(secretAccessKey));
  // Requests that fail say more in logs than others: a denied one, a forged one, a broken one.
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey };
  const denied = server.clientsOf(credentials);
  const forged = server.clientsOf({ ...credentials, secretAccessKey: `${secretAccessKey}x` });
  for (const { sqs, kms: keys } of [denied, forged]) {
    const QueueUrl = `${server.httpsUrl}/${accountId}/queue-kms`;
    const MessageBody = canary("of a refused request");
    await assert.rejects(sqs.sendMessage({ QueueUrl, MessageBody }));
    await assert.rejects(keys.encrypt({ KeyId, Plaintext: Buffer.from(MessageBody) }));
  }
  const QueueUrl = `${server.httpsUrl}/${accountId}/none-such`;
  const MessageBody = canary("to no queue");
  await assert.rejects(server.clients.sqs.sendMessage({ QueueUrl, MessageBody }));
}

/** Names of the secrets that some file holds, in any form. */
function foundIn(search: (forms: readonly Buffer[]) => readonly string[]): readonly string[] {
  return [...secrets].flatMap(([name, secret]) =>
    search(formsOf(secret)).map((place) => `${name}: ${place}`),
  );
}

const inFiles = () => foundIn((forms) => filesWith(folder, forms));
const inLog = () => {
  const log = Buffer.from(server.output());
  return foundIn((forms) => (forms.some((form) => log.includes(form)) ? ["log"] : []));
};

test("nothing secret is in any file or in the log, running, killed or stopped", async () => {
  await everything(server.clients);
  await keysAndCredentials(server.clients);
  assert.ok(secrets.size >= 24);
  const wal = readFileSync(join(folder, "sealpost.db-wal"));
  assert.ok(wal.length > 100_000, "the WAL is there to be searched");
  assert.deepEqual(inFiles(), []);
  assert.deepEqual(inLog(), []);
  await server.kill();
  assert.deepEqual(inFiles(), []);
  server = await startChild(folder, flags);
  // Redelivery and sweeps open and move things, too.
  await server.clients.sqs.listQueues({});
  assert.deepEqual(inLog(), []);
  assert.equal(await server.stop(), 0);
  assert.deepEqual(inFiles(), []);
  server = await startChild(folder, flags);
});

test("the twin: the search finds what is readable, in each form", () => {
  assert.notDeepEqual(filesWith(folder, [Buffer.from("readable-attribute-77")]), []);
  const rootSecret = Buffer.from(server.root.secretAccessKey);
  assert.deepEqual(filesWith(folder, formsOf(rootSecret)), [join(folder, "credentials")]);
  const secret = Buffer.from("a secret of some length");
  const haystacks = [
    secret,
    Buffer.from(secret.toString("hex")),
    Buffer.from(`x${secret.toString("base64")}`),
    Buffer.from(Buffer.concat([Buffer.from("ab"), secret]).toString("base64")),
    Buffer.from(Buffer.concat([Buffer.from("a"), secret]).toString("base64url")),
    Buffer.from(secret.toString(), "utf16le"),
  ];
  for (const haystack of haystacks) {
    assert.ok(
      formsOf(secret).some((form) => haystack.includes(form)),
      haystack.toString(),
    );
  }
});
