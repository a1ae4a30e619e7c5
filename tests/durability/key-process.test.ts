// Goal: kill -9 of the key process alone costs seconds, not data: calls that need it are refused
// retryably or served, sealed bodies open again, what was published meanwhile arrives.
// Method: a real server; its key process is found by its parent and killed, several times, with
// calls under way. The twin: a kill that nobody replaces is what makes the calls fail (they do,
// while it is away), and a server whose key process lives refuses none.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { delegateTo, document, snsMayUseKey } from "../encryption/scene.ts";
import { type ChildServer, isAlive, newDataFolder, removeFolder, startChild } from "./child.ts";

const skip = process.platform === "linux" ? false : "finds processes by /proc";
const accountId = "123456789012";
let folder: string;
let server: ChildServer;
before(async () => {
  folder = newDataFolder();
  if (skip === false) server = await startChild(folder, ["--log-level", "warn"]);
});
after(async () => {
  await server?.kill();
  removeFolder(folder);
});

/** The answers to many calls at once: how many were served, and the refusals by name and status. */
async function outcomes(calls: readonly Promise<unknown>[]) {
  const settled = await Promise.allSettled(calls);
  const refusals = settled.flatMap((each) => {
    if (each.status === "fulfilled") return [];
    const { name, $metadata } = each.reason as {
      name: string;
      $metadata?: { httpStatusCode?: number };
    };
    return [`${name} ${$metadata?.httpStatusCode}`];
  });
  return { served: settled.length - refusals.length, refusals: [...new Set(refusals)] };
}

const times = <T>(count: number, act: (n: number) => T) =>
  Array.from({ length: count }, (_, n) => act(n));

async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await ask();
    } catch (error) {
      if (i === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

test("the key process dies, again and again; the server recovers each time", { skip }, async () => {
  const { kms, sqs, sns } = server.clients;
  const Policy = document([delegateTo(accountId), snsMayUseKey()], "*");
  const { KeyMetadata } = await kms.createKey({ Policy });
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { TopicArn = "" } = await sns.createTopic({
    Name: "topic",
    Attributes: { KmsMasterKeyId: KeyId },
  });
  const arn = `arn:aws:sqs:us-east-1:${accountId}:queue`;
  const sender = { Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage" };
  const { QueueUrl = "" } = await sqs.createQueue({
    QueueName: "queue",
    Attributes: {
      KmsMasterKeyId: KeyId,
      VisibilityTimeout: "600",
      Policy: document([sender], arn),
    },
  });
  const Attributes = { RawMessageDelivery: "true" };
  await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: arn, Attributes });
  const generate = () => kms.generateDataKey({ KeyId, KeySpec: "AES_256" });
  const whole = await outcomes(times(10, generate));
  assert.deepEqual(whole, { served: 10, refusals: [] }, "the twin: nobody was killed");

  const { CiphertextBlob, Plaintext } = await generate();
  const expected = new Set<string>();
  for (const round of [1, 2, 3]) {
    const MessageBody = `sent ${round}`;
    await sqs.sendMessage({ QueueUrl, MessageBody });
    expected.add(MessageBody);
    const killed = server.keyProcessPid();
    const underWay = times(10, generate);
    process.kill(killed, "SIGKILL");
    const meanwhile = times(10, generate);
    const published = times(5, async (n) => {
      const Message = `published ${round} ${n}`;
      await sns.publish({ TopicArn, Message });
      expected.add(Message);
    });
    const { refusals } = await outcomes([...underWay, ...meanwhile, ...published]);
    for (const refusal of refusals) {
      assert.match(refusal, /^(ServiceUnavailable(Exception)?|KeyUnavailableException) 5\d\d$/);
    }
    const opened = await eventually(() => kms.decrypt({ CiphertextBlob }));
    assert.deepEqual(opened.Plaintext, Plaintext);
    const replacement = server.keyProcessPid();
    assert.notEqual(replacement, killed);
    assert.deepEqual([isAlive(killed), isAlive(replacement)], [false, true]);
  }
  const received = new Set<string>();
  await eventually(async () => {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    for (const { Body = "" } of Messages) received.add(Body);
    const missing = [...expected].filter((body) => !received.has(body));
    if (missing.length > 0) throw new Error(`missing: ${missing}`);
  });
  assert.ok(expected.size >= 3);
});

test("with its parent gone the key process ends by itself", { skip }, async () => {
  const pid = server.keyProcessPid();
  assert.equal(isAlive(pid), true);
  await server.kill();
  for (let i = 0; i < 250 && isAlive(pid); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(isAlive(pid), false);
});
