import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createQueue, queryCall, type SqsScene, sqsScene } from "./sqs-scene.ts";

// Goal: older clients that speak the query protocol get the same service in XML.
// Method: raw signed forms, answers compared as text.

let scene: SqsScene;
before(async () => {
  scene = await sqsScene();
});
after(() => scene.stop());

const call = (parameters: Record<string, string>, path = "/") => queryCall(scene, parameters, path);
const inside = (xml: string, name: string) =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

test("a queue is made, described and used in XML", async () => {
  const made = await call({
    Action: "CreateQueue",
    QueueName: "xml",
    "Attribute.1.Name": "DelaySeconds",
    "Attribute.1.Value": "0",
    "Tag.1.Key": "team",
    "Tag.1.Value": "a",
  });
  assert.equal(made.status, 200, made.text);
  const QueueUrl = inside(made.text, "QueueUrl") ?? "";
  assert.match(QueueUrl, new RegExp(`/${scene.accountId}/xml$`));
  const path = new URL(QueueUrl).pathname;
  const sent = await call(
    {
      Action: "SendMessage",
      MessageBody: "a <b> & é",
      "MessageAttribute.1.Name": "Hello",
      "MessageAttribute.1.Value.DataType": "String",
      "MessageAttribute.1.Value.StringValue": "World",
    },
    path,
  );
  assert.equal(sent.status, 200, sent.text);
  assert.equal(inside(sent.text, "MD5OfMessageAttributes"), "7db7fb1ba7f41366a8ea5eb18220b26d");
  const got = await call({
    Action: "ReceiveMessage",
    QueueUrl,
    "AttributeName.1": "SenderId",
    "MessageAttributeName.1": "All",
  });
  assert.equal(inside(got.text, "Body"), "a &lt;b&gt; &amp; é");
  assert.match(got.text, /<Attribute><Name>SenderId<\/Name><Value>\d{12}<\/Value><\/Attribute>/);
  assert.match(got.text, /<MessageAttribute><Name>Hello<\/Name><Value>/);
  const ReceiptHandle = inside(got.text, "ReceiptHandle") ?? "";
  const removed = await call({
    Action: "DeleteMessageBatch",
    QueueUrl,
    "DeleteMessageBatchRequestEntry.1.Id": "a",
    "DeleteMessageBatchRequestEntry.1.ReceiptHandle": ReceiptHandle,
    "DeleteMessageBatchRequestEntry.2.Id": "b",
    "DeleteMessageBatchRequestEntry.2.ReceiptHandle": "x",
  });
  assert.match(removed.text, /<DeleteMessageBatchResultEntry><Id>a<\/Id>/);
  assert.match(removed.text, /<BatchResultErrorEntry>.*<Code>ReceiptHandleIsInvalid<\/Code>/s);
  const empty = await call({ Action: "ReceiveMessage", QueueUrl });
  assert.match(empty.text, /<ReceiveMessageResult\s*\/>|<ReceiveMessageResult><\/Receive/);
});

test("errors have the codes and texts of the query protocol", async () => {
  const absent = await call({ Action: "ReceiveMessage", QueueUrl: "none" });
  assert.equal(absent.status, 400);
  assert.equal(inside(absent.text, "Code"), "AWS.SimpleQueueService.NonExistentQueue");
  const text = "The specified queue does not exist for this wsdl version.";
  assert.equal(inside(absent.text, "Message"), text);
  assert.equal(inside(absent.text, "Type"), "Sender");
  const url = await createQueue(scene.sqs, "xml-errors");
  const empty = await call({ Action: "SendMessage", QueueUrl: url, MessageBody: "" });
  assert.equal(inside(empty.text, "Code"), "MissingParameter");
  const batch = await call({ Action: "SendMessageBatch", QueueUrl: url });
  assert.equal(inside(batch.text, "Code"), "AWS.SimpleQueueService.EmptyBatchRequest");
});

test("of two synonyms AttributeNames counts in the query protocol", async () => {
  const url = await createQueue(scene.sqs, "xml-names");
  await call({ Action: "SendMessage", QueueUrl: url, MessageBody: "x" });
  const got = await call({
    Action: "ReceiveMessage",
    QueueUrl: url,
    "AttributeName.1": "SentTimestamp",
    "MessageSystemAttributeName.1": "SenderId",
  });
  assert.match(got.text, /SentTimestamp/);
  assert.doesNotMatch(got.text, /SenderId/);
});

test("who accepts JSON gets the query protocol's answers in JSON", async () => {
  const { QueueUrl = "" } = await scene.sqs.createQueue({ QueueName: "accepts-json" });
  const ask = async (service: string, path: string) => {
    const headers = { accept: "application/json" };
    const answer = await scene.server.send({ service, method: "GET", path, headers });
    return { status: answer.status, answer: JSON.parse(answer.body) };
  };
  const path = new URL(QueueUrl).pathname;
  const sent = await ask("sqs", `${path}?Action=SendMessage&MessageBody=hello`);
  assert.equal(sent.status, 200);
  const got = await ask("sqs", `${path}?Action=ReceiveMessage`);
  const [message] = got.answer.ReceiveMessageResponse.ReceiveMessageResult.messages;
  const { MessageId } = sent.answer.SendMessageResponse.SendMessageResult;
  assert.deepEqual([message.Body, message.MessageId], ["hello", MessageId]);
  const refused = await ask("sqs", `${path}?Action=ListQueues`);
  assert.equal(refused.status, 400);
  assert.equal(refused.answer.Error.Code, "InvalidAction");
  const who = await ask("sts", "/?Action=GetCallerIdentity&Version=2011-06-15");
  const { Account } = who.answer.GetCallerIdentityResponse.GetCallerIdentityResult;
  assert.equal(Account, scene.accountId);
});

function jsonCall(operation: string, input: object) {
  const headers = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": `AmazonSQS.${operation}`,
  };
  return scene.server.send({ service: "sqs", headers, body: JSON.stringify(input) });
}

test("a sender cannot leave a gap for a signature in his own text", async () => {
  const { QueueUrl = "" } = await scene.sqs.createQueue({ QueueName: "gaps" });
  const gap = { at: 0, bytes: 344, note: `1${"A".repeat(43)}=` };
  const MessageBody = "forged";
  const { status } = await jsonCall("SendMessage", { QueueUrl, MessageBody, gap });
  assert.equal(status, 200);
  const Entries = [{ Id: "a", MessageBody, gap }];
  assert.equal((await jsonCall("SendMessageBatch", { QueueUrl, Entries })).status, 200);
  const form = { Action: "SendMessage", QueueUrl, MessageBody, "gap.at": "0", "gap.bytes": "344" };
  assert.equal((await queryCall(scene, form, "/")).status, 200);
  for (const _ of [1, 2, 3]) {
    const { Messages = [] } = await scene.sqs.receiveMessage({ QueueUrl });
    assert.equal(Messages[0]?.Body, MessageBody);
  }
});

test("JSON errors name the shape, and the query code in a header", async () => {
  const json = async (operation: string, input: object) => {
    const answer = await jsonCall(operation, input);
    const { __type } = JSON.parse(answer.body) as { readonly __type?: string };
    return [answer.status, __type, answer.headers["x-amzn-query-error"]];
  };
  assert.deepEqual(await json("ReceiveMessage", { QueueUrl: "none" }), [
    400,
    "com.amazonaws.sqs#QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue;Sender",
  ]);
  assert.deepEqual(await json("SendMessage", { QueueUrl: "none" }), [
    400,
    "com.amazonaws.sqs#MissingRequiredParameterException",
    "MissingParameter;Sender",
  ]);
  assert.deepEqual(await json("CreateQueue", { QueueName: "a b" }), [
    400,
    "com.amazonaws.sqs#InvalidParameterValueException",
    "InvalidParameterValue;Sender",
  ]);
});
