// Goal: what is published arrives in every queue in AWS's form, signed, and what is wrong is
// refused with AWS's words. Method: the real SDK clients publish and receive over HTTPS.
import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";
import {
  invalid,
  makeTopic,
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

/** As AWS documents it for receivers; written here on its own. */
function signedText(envelope: Record<string, string>): string {
  return ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    .filter((name) => envelope[name] !== undefined)
    .map((name) => `${name}\n${envelope[name]}\n`)
    .join("");
}

test("one publish lands in every queue, enveloped and raw", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "fan");
  const enveloped = await subscribeQueue(scene, TopicArn, "fan-1");
  const second = await subscribeQueue(scene, TopicArn, "fan-2");
  const raw = await subscribeQueue(scene, TopicArn, "fan-raw", { raw: true });
  const { MessageId } = await sns.publish({
    TopicArn,
    Message: 'line "1"\nünïcode',
    Subject: "subject",
    MessageAttributes: {
      kind: { DataType: "String", StringValue: "a" },
      bytes: { DataType: "Binary", BinaryValue: Buffer.from([1, 2]) },
    },
  });
  const [first] = await enveloped.drain();
  const envelope = JSON.parse(first?.body ?? "");
  assert.deepEqual(Object.keys(envelope), [
    "Type",
    "MessageId",
    "TopicArn",
    "Subject",
    "Message",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
    "UnsubscribeURL",
    "MessageAttributes",
  ]);
  assert.equal(envelope.MessageId, MessageId);
  assert.equal(envelope.Message, 'line "1"\nünïcode');
  assert.match(envelope.Timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(envelope.MessageAttributes, {
    kind: { Type: "String", Value: "a" },
    bytes: { Type: "Binary", Value: "AQI=" },
  });
  assert.ok(first?.body.startsWith('{\n  "Type" : "Notification",\n  "MessageId" : "'));
  assert.deepEqual(first?.attributes, {});
  assert.equal(JSON.parse((await second.drain())[0]?.body ?? "").MessageId, MessageId);
  const [plain] = await raw.drain();
  assert.equal(plain?.body, 'line "1"\nünïcode');
  assert.equal(plain?.attributes.kind?.StringValue, "a");
  assert.equal(plain?.attributes.bytes?.DataType, "Binary");
});

for (const [version, algorithm] of [
  ["1", "sha1"],
  ["2", "sha256"],
] as const) {
  test(`signature version ${version} verifies with the served certificate`, async () => {
    const { sns, server } = scene;
    const TopicArn = await makeTopic(sns, `signed-${version}`, { SignatureVersion: version });
    const queue = await subscribeQueue(scene, TopicArn, `signed-${version}`);
    await sns.publish({ TopicArn, Message: "signed", Subject: "s" });
    await sns.publish({ TopicArn, Message: "without subject" });
    for (const { body } of await queue.drain()) {
      const envelope = JSON.parse(body);
      assert.equal(envelope.SignatureVersion, version);
      const url = new URL(envelope.SigningCertURL);
      assert.equal(url.origin, server.httpsUrl);
      const answer = await server.send({
        service: "sns",
        method: "GET",
        path: url.pathname,
        unsigned: true,
      });
      assert.equal(answer.status, 200);
      const { publicKey } = new X509Certificate(String(answer.body));
      const signature = Buffer.from(envelope.Signature, "base64");
      const text = Buffer.from(signedText(envelope));
      assert.ok(verify(algorithm, text, publicKey, signature));
      const changed = Buffer.from(signedText({ ...envelope, Message: "other" }));
      assert.equal(verify(algorithm, changed, publicKey, signature), false);
    }
  });
}

test("MessageStructure=json gives queues their part", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "structured");
  const queue = await subscribeQueue(scene, TopicArn, "structured", { raw: true });
  const publish = (message: unknown, MessageStructure = "json") =>
    sns.publish({
      TopicArn,
      Message: typeof message === "string" ? message : JSON.stringify(message),
      MessageStructure,
    });
  await publish({ default: "d", sqs: "for queues", http: "for http", pigeon: 1 });
  await publish({ default: "d", sqs: 1 });
  const bodies = (await queue.drain()).map(({ body }) => body).sort();
  assert.deepEqual(bodies, ["d", "for queues"]);
  const structure = "Message Structure - ";
  for (const text of ["{", '"text"', "[]", "null"]) {
    await invalid(publish(text), `${structure}JSON message body failed to parse`);
  }
  for (const value of [{}, { sqs: "x" }, { default: 1 }]) {
    await invalid(publish(value), `${structure}No default entry in JSON message body`);
  }
});

test("messages, subjects, sizes and targets that are refused", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "strict");
  const publish = (more: object) => sns.publish({ TopicArn, Message: "m", ...more });
  await invalid(publish({ Message: "" }), "Empty message");
  for (const Subject of ["", "x".repeat(101), "a\nb", "\u0007"]) {
    await invalid(publish({ Subject }), "Subject");
  }
  await publish({ Subject: "x".repeat(100) });
  await publish({ Message: "x".repeat(262_144) });
  await invalid(publish({ Message: "x".repeat(262_145) }), "Message too long");
  const MessageAttributes = { ab: { DataType: "String", StringValue: "cd" } };
  await publish({ Message: "x".repeat(262_144 - 10), MessageAttributes });
  await invalid(
    publish({ Message: "x".repeat(262_144 - 9), MessageAttributes }),
    "Message too long",
  );
  await invalid(
    publish({ MessageDeduplicationId: "d" }),
    /^Invalid parameter: MessageDeduplicationId/,
  );
  await invalid(
    sns.publish({ Message: "m" }),
    "TopicArn or TargetArn Reason: no value for required parameter",
  );
  const text = "PhoneNumber Reason: nobody is not valid to publish to";
  await invalid(sns.publish({ PhoneNumber: "nobody", Message: "m" }), text);
  assert.ok((await sns.publish({ TargetArn: TopicArn, Message: "m" })).MessageId);
  await refuses(
    sns.publish({ TopicArn: topicArn(scene, "none"), Message: "x".repeat(300_000) }),
    "NotFoundException",
    404,
    "Topic does not exist",
  );
  await invalid(
    sns.publish({ TopicArn: topicArn(scene, "strict", "eu-west-1"), Message: "m" }),
    "TopicArn",
  );
});

test("MaximumMessageSize moves the limit", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "large", { MaximumMessageSize: "1024" });
  await sns.publish({ TopicArn, Message: "x".repeat(1024) });
  await invalid(sns.publish({ TopicArn, Message: "x".repeat(1025) }), "Message too long");
  await sns.setTopicAttributes({
    TopicArn,
    AttributeName: "MaximumMessageSize",
    AttributeValue: "1048576",
  });
  await sns.publish({ TopicArn, Message: "x".repeat(1_048_576) });
});

test("message attributes are checked with AWS's texts", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "attributed");
  const refused = (name: string, value: object, text: string) =>
    refuses(
      sns.publish({
        TopicArn,
        Message: "m",
        MessageAttributes: { [name]: { DataType: "String", StringValue: "v", ...value } },
      }),
      "InvalidParameterValueException",
      400,
      text,
    );
  const empty = "must contain non-empty message attribute value for message attribute type";
  await refused("X", { StringValue: "" }, `The message attribute 'X' ${empty} 'String'.`);
  await refused(
    "X",
    { DataType: "Binary" },
    "The message attribute 'X' with type 'Binary' must use field 'Binary'.",
  );
  await refused(
    "X",
    { DataType: "Colour" },
    "The message attribute 'X' has an invalid message attribute type, the set of supported type " +
      "prefixes is Binary, Number, and String.",
  );
  const length = "Length of message attribute name must be less than 256 bytes.";
  await refused("x".repeat(256), {}, length);
  await refused(
    "a^b",
    {},
    "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only " +
      "include alphanumeric characters, hyphens, underscores, or dots.",
  );
  await refused(".a", {}, "Invalid message attribute name starting with character '.' was found.");
  await refused("a.", {}, "Invalid message attribute name ending with character '.' was found.");
  await refused("a..b", {}, "Message attribute name can not have successive '.' character.");
});

test("PublishBatch", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "batch");
  const queue = await subscribeQueue(scene, TopicArn, "batch", { raw: true });
  const batch = (entries: readonly { Id: string; Message: string; MessageStructure?: string }[]) =>
    sns.publishBatch({ TopicArn, PublishBatchRequestEntries: [...entries] });
  const entries = Array.from({ length: 10 }, (_, n) => ({ Id: `e${n}`, Message: `m${n}` }));
  const { Successful = [], Failed } = await batch(entries);
  assert.deepEqual(
    Successful.map(({ Id }) => Id),
    entries.map(({ Id }) => Id),
  );
  assert.equal(new Set(Successful.map(({ MessageId }) => MessageId)).size, 10);
  assert.deepEqual(Failed, []);
  const bodies = (await queue.drain()).map(({ body }) => body).sort();
  assert.deepEqual(
    bodies,
    entries.map(({ Message }) => Message),
  );
  await refuses(
    batch([...entries, { Id: "e10", Message: "m" }]),
    "TooManyEntriesInBatchRequestException",
    400,
    "The batch request contains more entries than permissible.",
  );
  await refuses(
    batch([
      { Id: "a", Message: "m" },
      { Id: "a", Message: "m" },
    ]),
    "BatchEntryIdsNotDistinctException",
    400,
    "Two or more batch entries in the request have the same Id.",
  );
  await refuses(
    batch([{ Id: "a b", Message: "m" }]),
    "InvalidBatchEntryIdException",
    400,
    "The Id of a batch entry in the batch request contains an impermissible character: a b",
  );
  await refuses(
    batch([{ Id: "x".repeat(81), Message: "m" }]),
    "InvalidBatchEntryIdException",
    400,
    `The Id of a batch entry in the batch request is too long: ${"x".repeat(81)}`,
  );
  await refuses(
    batch([
      { Id: "a", Message: "x".repeat(200_000) },
      { Id: "b", Message: "x".repeat(100_000) },
    ]),
    "BatchRequestTooLongException",
    400,
    "The length of all the messages put together is more than the limit.",
  );
  await invalid(
    batch([
      { Id: "a", Message: "fine" },
      { Id: "b", Message: "{", MessageStructure: "json" },
    ]),
    "Message Structure - JSON message body failed to parse",
  );
  assert.deepEqual(await queue.drain(), [], "a refused batch delivers nothing of it");
});

test("MessageGroupId reaches standard queues", async () => {
  const { sns, sqs } = scene;
  const TopicArn = await makeTopic(sns, "grouped");
  const { url } = await subscribeQueue(scene, TopicArn, "grouped", { raw: true });
  await sns.publish({ TopicArn, Message: "m", MessageGroupId: "tenant-1" });
  const { Messages } = await sqs.receiveMessage({
    QueueUrl: url,
    MessageSystemAttributeNames: ["All"],
  });
  assert.equal(Messages?.[0]?.Attributes?.MessageGroupId, "tenant-1");
});
