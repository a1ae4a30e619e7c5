// Goal: from a FIFO topic to a FIFO queue each message arrives exactly once and in the order of its
// group, encrypted on the whole way, whenever the server is killed. Method: publishers that send
// one after the other and repeat what was not acknowledged, as clients do; kill -9 at random
// moments; the queue is read with deletes in between. The twin repeats under a new deduplication
// id, and is told twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChildServer, newDataFolder, removeFolder, startChild } from "../durability/child.ts";

const rounds = process.env.SEALPOST_TEST_LONG === "1" ? 20 : 3;
const groups = ["a", "b", "c", "d"];
const perRound = 12;

interface Place {
  server: ChildServer;
  readonly topicArn: string;
  readonly queuePath: string;
}

test("exactly once, in order, over kills", async (t) => {
  const folder = newDataFolder();
  t.after(() => removeFolder(folder));
  const server = await startChild(folder, ["--log-level", "error"]);
  const place: Place = { server, ...(await setUp(server)) };
  t.after(() => place.server.kill());
  const next = new Map(groups.map((group) => [group, 0]));
  const received = new Map<string, number[]>(groups.map((group) => [group, []]));
  let uncertain = 0;
  for (let round = 0; round < rounds; round += 1) {
    let acknowledged = 0;
    const publishers = groups.map(async (group) => {
      for (let index = next.get(group) ?? 0; index < (round + 1) * perRound; index += 1) {
        await publish(place, group, index);
        acknowledged += 1;
        next.set(group, index + 1);
      }
    });
    const ended = Promise.allSettled(publishers).then(() => true);
    const enough = Math.floor(performance.now() * 1000) % (groups.length * perRound);
    while (acknowledged < enough) {
      if (await Promise.race([ended, nextTurn()])) break;
    }
    await place.server.kill();
    const results = await Promise.allSettled(publishers);
    uncertain += results.filter(({ status }) => status === "rejected").length;
    place.server = await startChild(folder, ["--log-level", "error"]);
    for (const group of groups) {
      // What was under way may have been published or not: the same id asks again.
      for (let index = next.get(group) ?? 0; index < (round + 1) * perRound; index += 1) {
        await publish(place, group, index);
        next.set(group, index + 1);
      }
    }
    await drain(place, received);
  }
  t.diagnostic(`${uncertain} publications were cut off`);
  const expected = Array.from({ length: rounds * perRound }, (_, index) => index);
  for (const group of groups) assert.deepEqual(received.get(group), expected, group);

  await publish(place, "a", -1, "first");
  await publish(place, "a", -1, "second");
  const twice = new Map([["a", []]]);
  await drain(place, twice);
  assert.deepEqual(twice.get("a"), [-1, -1], "the twin");
});

async function setUp({ clients, httpsUrl }: ChildServer): Promise<Omit<Place, "server">> {
  const { sns, sqs, kms } = clients;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.Arn ?? "";
  const { Policy } = await kms.getKeyPolicy({ KeyId });
  const document = JSON.parse(Policy ?? "");
  const services = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    Resource: "*",
  };
  document.Statement = [document.Statement, services].flat();
  await kms.putKeyPolicy({ KeyId, Policy: JSON.stringify(document) });
  const fifo = { KmsMasterKeyId: KeyId };
  const { TopicArn = "" } = await sns.createTopic({
    Name: "t.fifo",
    Attributes: { ...fifo, FifoTopic: "true" },
  });
  const arn = TopicArn.replace(":sns:", ":sqs:").replace("t.fifo", "q.fifo");
  const open = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: arn,
  };
  const { QueueUrl = "" } = await sqs.createQueue({
    QueueName: "q.fifo",
    Attributes: {
      ...fifo,
      FifoQueue: "true",
      Policy: JSON.stringify({ Version: "2012-10-17", Statement: open }),
    },
  });
  const Attributes = { RawMessageDelivery: "true" };
  await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: arn, Attributes });
  return { topicArn: TopicArn, queuePath: QueueUrl.slice(httpsUrl.length) };
}

async function publish(
  { server, topicArn }: Place,
  group: string,
  index: number,
  id = `${group}-${index}`,
): Promise<void> {
  await server.clients.sns.publish({
    TopicArn: topicArn,
    Message: String(index),
    MessageGroupId: group,
    MessageDeduplicationId: id,
  });
}

async function drain({ server, queuePath }: Place, into: Map<string, number[]>): Promise<void> {
  const { sqs } = server.clients;
  const QueueUrl = server.httpsUrl + queuePath;
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["MessageGroupId"],
    });
    if (Messages.length === 0) return;
    for (const { Body, Attributes } of Messages) {
      into.get(Attributes?.MessageGroupId ?? "")?.push(Number(Body));
    }
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
    await sqs.deleteMessageBatch({ QueueUrl, Entries });
  }
}

function nextTurn(): Promise<false> {
  return new Promise((resolve) => setImmediate(resolve, false));
}
