// Goal: FIFO topics keep order and know duplicates, for every kind of queue behind them, also when
// a queue is away for a while. Method: the real SDK clients against a server with a virtual clock;
// a property over random publications compares what arrived with what was sent.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { filesWith, formsOf } from "../encryption/files.ts";
import {
  invalid,
  makeTopic,
  openPolicy,
  queueArn,
  refuses,
  type SnsScene,
  snsScene,
  topicArn,
} from "./sns-scene.ts";

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

const fifo = (Name: string, attributes: Record<string, string> = {}) =>
  makeTopic(scene.sns, `${Name}.fifo`, { FifoTopic: "true", ...attributes });

interface Arrived {
  readonly body: string;
  readonly group: string | undefined;
  readonly deduplication: string | undefined;
}

async function subscribed(topic: string, name: string, raw = true, attributes = {}) {
  const { sqs, sns } = scene;
  const arn = queueArn(scene, name);
  const fifoQueue: Record<string, string> = name.endsWith(".fifo") ? { FifoQueue: "true" } : {};
  const { QueueUrl = "" } = await sqs.createQueue({
    QueueName: name,
    Attributes: { Policy: JSON.stringify(openPolicy(arn, topic)), ...fifoQueue, ...attributes },
  });
  const { SubscriptionArn = "" } = await sns.subscribe({
    TopicArn: topic,
    Protocol: "sqs",
    Endpoint: arn,
    Attributes: { RawMessageDelivery: String(raw) },
  });
  const drain = async (): Promise<Arrived[]> => {
    const arrived: Arrived[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.receiveMessage({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ["All"],
      });
      if (Messages.length === 0) return arrived;
      for (const { Body = "", Attributes = {}, ReceiptHandle } of Messages) {
        const { MessageGroupId: group, MessageDeduplicationId: deduplication } = Attributes;
        arrived.push({ body: Body, group, deduplication });
        await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
      }
    }
  };
  return { QueueUrl, arn, SubscriptionArn, drain };
}

test("a FIFO topic has AWS's attributes and demands its suffix", async () => {
  const { sns } = scene;
  await invalid(makeTopic(sns, "plain", { FifoTopic: "true" }), "Topic Name");
  await invalid(makeTopic(sns, "plain.fifo"), "Topic Name");
  const TopicArn = await fifo("attributes");
  const attributes = async () => (await sns.getTopicAttributes({ TopicArn })).Attributes ?? {};
  const shown = await attributes();
  assert.equal(shown.FifoTopic, "true");
  assert.equal(shown.ContentBasedDeduplication, "false");
  assert.equal(Object.keys(shown).length, 10);
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue });
  await set("ContentBasedDeduplication", "true");
  await set("FifoThroughputScope", "MessageGroup");
  assert.equal((await attributes()).FifoThroughputScope, "MessageGroup");
  await invalid(set("FifoTopic", "false"), "AttributeName");
  await invalid(
    sns.subscribe({ TopicArn, Protocol: "lambda", Endpoint: "x" }),
    "Invalid protocol type: lambda",
  );
});

test("ids are demanded and checked in AWS's words", async () => {
  const { sns } = scene;
  const TopicArn = await fifo("ids");
  const publish = (ids: object) => sns.publish({ TopicArn, Message: "m", ...ids });
  await invalid(publish({}), "The MessageGroupId parameter is required for FIFO topics");
  await invalid(
    publish({ MessageGroupId: "g" }),
    "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId " +
      "provided explicitly",
  );
  const first = await publish({ MessageGroupId: "g", MessageDeduplicationId: "d" });
  const again = await publish({ MessageGroupId: "g", MessageDeduplicationId: "d" });
  const other = await publish({ MessageGroupId: "h", MessageDeduplicationId: "e" });
  assert.match(first.SequenceNumber ?? "", /^\d{20}$/);
  assert.equal(again.MessageId, first.MessageId);
  assert.equal(again.SequenceNumber, first.SequenceNumber);
  assert.ok((other.SequenceNumber ?? "") > (first.SequenceNumber ?? ""));
});

test("duplicates are found at the topic, for five minutes, also for standard queues", async () => {
  const { sns } = scene;
  const TopicArn = await fifo("twice", { ContentBasedDeduplication: "true" });
  const ordered = await subscribed(TopicArn, "twice.fifo");
  const standard = await subscribed(TopicArn, "twice", false);
  const publish = (Message: string, MessageGroupId = "g") =>
    sns.publish({ TopicArn, Message, MessageGroupId });
  await publish("one");
  await publish("one");
  await publish("one", "another-group");
  await publish("two");
  const arrived = await ordered.drain();
  assert.deepEqual(
    arrived.map(({ body }) => body),
    ["one", "two"],
  );
  assert.equal(arrived[0]?.group, "g");
  assert.equal(arrived[0]?.deduplication, createHash("sha256").update("one").digest("hex"));
  const envelopes = await standard.drain();
  assert.equal(envelopes.length, 2);
  assert.ok(
    envelopes.every(({ group }) => group === undefined),
    "no group at a standard queue",
  );
  const envelope = JSON.parse(envelopes[0]?.body ?? "");
  assert.deepEqual(Object.keys(envelope), [
    "Type",
    "MessageId",
    "SequenceNumber",
    "TopicArn",
    "Message",
    "Timestamp",
    "UnsubscribeURL",
  ]);
  // The clock goes on by itself: what happened since the first publication counts as well.
  await scene.server.advance(240);
  await publish("one");
  assert.equal((await ordered.drain()).length, 0);
  await scene.server.advance(61);
  await publish("one");
  assert.equal((await ordered.drain()).length, 1);
  await sns.setTopicAttributes({
    TopicArn,
    AttributeName: "FifoThroughputScope",
    AttributeValue: "MessageGroup",
  });
  await publish("grouped", "g");
  await publish("grouped", "h");
  assert.equal((await ordered.drain()).length, 1, "the queue itself knows no groups here");
  assert.equal((await standard.drain()).length, 3);
});

test("a batch keeps its order, and its duplicates answer alike", async () => {
  const TopicArn = await fifo("batch");
  const queue = await subscribed(TopicArn, "batch.fifo");
  const entry = (Id: string, MessageDeduplicationId = Id) => ({
    Id,
    Message: Id,
    MessageGroupId: "g",
    MessageDeduplicationId,
  });
  const PublishBatchRequestEntries = [entry("a"), entry("b"), entry("c", "a"), entry("d")];
  const answer = await scene.sns.publishBatch({ TopicArn, PublishBatchRequestEntries });
  const [a, , c] = answer.Successful ?? [];
  assert.equal(a?.MessageId, c?.MessageId);
  assert.equal(a?.SequenceNumber, c?.SequenceNumber);
  assert.deepEqual(
    (await queue.drain()).map(({ body }) => body),
    ["a", "b", "d"],
  );
});

test("what a queue refuses holds up nobody; what it cannot take now holds up its group", async () => {
  const { sns, sqs, kms } = scene;
  const root = { AWS: `arn:aws:iam::${scene.accountId}:root` };
  const Statement = [
    { Effect: "Allow", Principal: root, Action: "kms:*", Resource: "*" },
    {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
      Resource: "*",
    },
  ];
  const { KeyMetadata } = await kms.createKey({
    Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
  });
  const TopicArn = await fifo("held", { KmsMasterKeyId: KeyMetadata?.Arn ?? "" });
  const queue = await subscribed(TopicArn, "held.fifo", true, {
    KmsMasterKeyId: KeyMetadata?.Arn ?? "",
  });
  const publish = (Message: string, MessageGroupId = "g") =>
    sns.publish({ TopicArn, Message, MessageGroupId, MessageDeduplicationId: Message });
  await publish("1");
  const policy = (Policy: string) =>
    sqs.setQueueAttributes({ QueueUrl: queue.QueueUrl, Attributes: { Policy } });
  await policy("");
  await publish("lost");
  await policy(JSON.stringify(openPolicy(queue.arn, TopicArn)));
  await publish("2");
  assert.deepEqual(
    (await queue.drain()).map(({ body }) => body),
    ["1", "2"],
  );
});

test("order and duplicates over random publications", async (t) => {
  const seed = Number(process.env.FIFO_SEED ?? Math.floor(performance.now() * 1000) % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const TopicArn = await fifo("random");
  const queue = await subscribed(TopicArn, "random.fifo");
  let state = seed;
  const below = (count: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % count;
  };
  const sent = Array.from({ length: 120 }, (_, index) => ({
    MessageGroupId: `g${below(4)}`,
    MessageDeduplicationId: `d${below(90)}`,
    Message: `m${index}`,
  }));
  // Many at once: the answers tell the order that the topic gave them.
  const answers = await Promise.all(
    sent.map(async (each) => ({ ...each, ...(await scene.sns.publish({ TopicArn, ...each })) })),
  );
  const firsts = new Map<string, (typeof answers)[number]>();
  const arrived = await queue.drain();
  const bodies = new Set(arrived.map(({ body }) => body));
  for (const each of answers) {
    if (bodies.has(each.Message)) firsts.set(each.MessageDeduplicationId, each);
  }
  assert.equal(arrived.length, new Set(sent.map((each) => each.MessageDeduplicationId)).size);
  for (const each of answers) {
    const first = firsts.get(each.MessageDeduplicationId);
    assert.equal(each.MessageId, first?.MessageId);
  }
  for (const group of ["g0", "g1", "g2", "g3"]) {
    const order = [...firsts.values()]
      .filter(({ MessageGroupId }) => MessageGroupId === group)
      .sort((a, b) => ((a.SequenceNumber ?? "") < (b.SequenceNumber ?? "") ? -1 : 1))
      .map(({ Message }) => Message);
    const got = arrived.filter((each) => each.group === group).map(({ body }) => body);
    assert.deepEqual(got, order);
  }
});

test("a topic made anew remembers nothing", async () => {
  const publish = (TopicArn: string) =>
    scene.sns.publish({ TopicArn, Message: "m", MessageGroupId: "g", MessageDeduplicationId: "d" });
  const TopicArn = await fifo("anew");
  const before = await publish(TopicArn);
  await scene.sns.deleteTopic({ TopicArn });
  await refuses(publish(TopicArn), "NotFoundException", 404, "Topic does not exist");
  await fifo("anew");
  assert.notEqual((await publish(topicArn(scene, "anew.fifo"))).MessageId, before.MessageId);
});

test("an archive is sealed, and a replay brings it once more, in order and filtered", async () => {
  const { sns, server } = scene;
  const TopicArn = await fifo("archive", {
    KmsMasterKeyId: "alias/aws/sns",
    ArchivePolicy: '{"MessageRetentionPeriod":"2"}',
  });
  const live = await subscribed(TopicArn, "archive.fifo", false);
  const began = (await sns.getTopicAttributes({ TopicArn })).Attributes?.BeginningArchiveTime ?? "";
  assert.match(began, /^\d{4}-.*Z$/);
  const publish = (index: number) =>
    sns.publish({
      TopicArn,
      Message: `archived-body-${index}`,
      MessageGroupId: `g${index % 3}`,
      MessageDeduplicationId: String(index),
      MessageAttributes: { odd: { DataType: "String", StringValue: String(index % 2) } },
    });
  const sent: string[] = [];
  for (let index = 0; index < 120; index += 1) sent.push((await publish(index)).MessageId ?? "");
  assert.equal((await live.drain()).length, 120);
  const secret = formsOf(Buffer.from("archived-body-"));
  assert.deepEqual(filesWith(server.dataFolder, secret), []);
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setSubscriptionAttributes({
      SubscriptionArn: live.SubscriptionArn,
      AttributeName,
      AttributeValue,
    });
  const replay = (changes: object = {}) =>
    set(
      "ReplayPolicy",
      JSON.stringify({ PointType: "Timestamp", StartingPoint: began, ...changes }),
    );
  await invalid(replay({ StartingPoint: "2001-01-01T00:00:00Z" }), /before the beginning/);
  await invalid(replay({ PointType: "Offset" }), "ReplayPolicy: PointType must be Timestamp");
  await replay();
  await server.advance(1);
  const status = async () =>
    (await sns.getSubscriptionAttributes({ SubscriptionArn: live.SubscriptionArn })).Attributes
      ?.ReplayStatus;
  assert.equal(await status(), "Completed");
  const arrived = (await live.drain()).map(({ body }) => JSON.parse(body));
  assert.equal(arrived.length, 120);
  assert.ok(arrived.every(({ Replayed }) => Replayed === "true"));
  assert.deepEqual(arrived.map(({ MessageId }) => MessageId).sort(), [...sent].sort());
  for (const group of [0, 1, 2]) {
    const numbers = arrived
      .map(({ Message }) => Number(Message.split("-").at(-1)))
      .filter((index) => index % 3 === group);
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
  }
  await set("FilterPolicy", '{"odd":["1"]}');
  await replay();
  await server.advance(1);
  assert.equal((await live.drain()).length, 60);
  await refuses(
    sns.deleteTopic({ TopicArn }),
    "InvalidParameterException",
    400,
    /a topic with an ArchivePolicy cannot be deleted/,
  );
  await server.advance(3 * 86_400);
  await set("FilterPolicy", "");
  await replay();
  await server.advance(1);
  assert.equal((await live.drain()).length, 0, "the archive has had its time");
  await sns.setTopicAttributes({ TopicArn, AttributeName: "ArchivePolicy", AttributeValue: "" });
  await invalid(replay(), "ReplayPolicy: the topic has no ArchivePolicy");
  await sns.deleteTopic({ TopicArn });
});
