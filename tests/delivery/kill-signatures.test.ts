// Goal: a notification is signed behind its publisher's answer, so a crash finds some unsigned in
// queues; a receiver never does, and nothing of a signature lies in the files (it would let texts
// be tried out). Method: a server in a process of its own, killed right after publications were
// acknowledged, and a new one on its folder; signatures are checked with the served certificate.
import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { type ChildServer, newDataFolder, removeFolder, startChild } from "../durability/child.ts";
import { filesWith, formsOf } from "../encryption/files.ts";
import { sendRaw } from "../harness/raw.ts";

const count = 60;

type Envelope = Readonly<Record<string, string>>;

test("what a crash left unsigned is signed when it is received", async (t) => {
  const folder = newDataFolder();
  t.after(() => removeFolder(folder));
  let server = await startChild(folder, ["--log-level", "error"]);
  t.after(() => server.kill());
  const queues = await Promise.all(["a", "b"].map((name) => queueOf(server, name)));
  const { sns } = server.clients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "t" });
  for (const { arn } of queues) {
    await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: arn });
  }
  await sns.publish({ TopicArn, Message: "makes the key" });
  const publish = (_: unknown, index: number) => sns.publish({ TopicArn, Message: `m${index}` });
  await Promise.all(Array.from({ length: count }, publish));
  await server.kill();
  server = await startChild(folder, ["--log-level", "error"]);
  const signatures = new Map<string, string>();
  for (const { path } of queues) {
    const envelopes = await drain(server, path);
    assert.equal(envelopes.length, count + 1);
    for (const envelope of envelopes) {
      await checkSignature(server, envelope);
      const { MessageId = "", Signature = "" } = envelope;
      assert.equal(signatures.get(MessageId) ?? Signature, Signature, "the same in both queues");
      signatures.set(MessageId, Signature);
    }
  }
  assert.equal(signatures.size, count + 1);
  await server.kill();
  for (const signature of signatures.values()) {
    assert.deepEqual(filesWith(folder, formsOf(Buffer.from(signature, "base64"))), []);
  }
});

async function queueOf({ clients, httpsUrl }: ChildServer, QueueName: string) {
  const { QueueUrl = "" } = await clients.sqs.createQueue({ QueueName });
  const { Attributes } = await clients.sqs.getQueueAttributes({
    QueueUrl,
    AttributeNames: ["QueueArn"],
  });
  const arn = Attributes?.QueueArn ?? "";
  const statement = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: arn,
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await clients.sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy } });
  return { arn, path: QueueUrl.slice(httpsUrl.length) };
}

async function drain({ clients, httpsUrl }: ChildServer, path: string): Promise<Envelope[]> {
  const envelopes: Envelope[] = [];
  for (;;) {
    const { Messages = [] } = await clients.sqs.receiveMessage({
      QueueUrl: httpsUrl + path,
      MaxNumberOfMessages: 10,
    });
    if (Messages.length === 0) return envelopes;
    envelopes.push(...Messages.map(({ Body = "" }) => JSON.parse(Body) as Envelope));
  }
}

const certificates = new Map<string, X509Certificate>();

async function checkSignature(server: ChildServer, envelope: Envelope): Promise<void> {
  const path = new URL(envelope.SigningCertURL ?? "").pathname;
  let certificate = certificates.get(path);
  if (!certificate) {
    const url = server.httpsUrl + path;
    const { body } = await sendRaw({ url, method: "GET", headers: {}, body: "", ca: server.ca });
    certificate = new X509Certificate(body);
    certificates.set(path, certificate);
  }
  const signed = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"];
  const text = signed.map((name) => `${name}\n${envelope[name]}\n`).join("");
  const signature = Buffer.from(envelope.Signature ?? "", "base64");
  assert.ok(verify("sha1", Buffer.from(text), certificate.publicKey, signature), text);
}
