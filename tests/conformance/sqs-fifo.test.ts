// Goal: FIFO queues and move tasks as real clients see them, in both protocols.
// Method: the SDK against a whole server; forms of the query protocol by hand.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { advance, awsError, createQueue, queryCall, type SqsScene, sqsScene } from "./sqs-scene.ts";

let scene: SqsScene;
before(async () => {
  scene = await sqsScene();
});
after(() => scene.stop());

const fifo = { FifoQueue: "true" };
const arn = (name: string) => `arn:aws:sqs:${scene.region}:${scene.accountId}:${name}`;

async function receive(QueueUrl: string, MaxNumberOfMessages = 10, more: object = {}) {
  const { Messages = [] } = await scene.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages,
      MessageSystemAttributeNames: ["All"],
      ...more,
    }),
  );
  return Messages;
}

const send = (QueueUrl: string, MessageBody: string, more: object = {}) =>
  scene.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));

test("attributes of a FIFO queue", async () => {
  const url = await createQueue(scene.sqs, "attributes.fifo", {
    FifoQueue: "True",
    ContentBasedDeduplication: "TRUE",
  });
  assert.match(url, /\/attributes\.fifo$/);
  const { Attributes } = await scene.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
  );
  assert.equal(Attributes?.FifoQueue, "true");
  assert.equal(Attributes?.ContentBasedDeduplication, "true");
  assert.equal(Attributes?.DeduplicationScope, "queue");
  assert.equal(Attributes?.FifoThroughputLimit, "perQueue");
  const { QueueUrls } = await scene.sqs.send(new ListQueuesCommand({ QueueNamePrefix: "attrib" }));
  assert.deepEqual(QueueUrls, [url]);
  const again = { QueueName: "attributes.fifo", Attributes: { FifoQueue: "true" } };
  assert.equal((await scene.sqs.send(new CreateQueueCommand(again))).QueueUrl, url);
});

test("each wrong attribute has AWS's text", async () => {
  const create = (QueueName: string, Attributes: Record<string, string>) =>
    scene.sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const name = "InvalidParameterValue";
  await assert.rejects(create("x.fifo", {}), awsError(name, /^Can only include alphanumeric/));
  await assert.rejects(create("x", fifo), awsError(name, /^The name of a FIFO queue can only /));
  await assert.rejects(
    create(`${"x".repeat(76)}.fifo`, fifo),
    awsError(name, /must end with \.fifo suffix and be 1 to 80 in length$/),
  );
  await assert.rejects(
    create("x", { FifoQueue: "false" }),
    awsError("InvalidAttributeName", "Unknown Attribute FifoQueue."),
  );
  await assert.rejects(
    create("x", { ContentBasedDeduplication: "true" }),
    awsError("InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."),
  );
  for (const [attribute, value] of [
    ["DeduplicationScope", "queue"],
    ["FifoThroughputLimit", "perQueue"],
  ] as const) {
    const text = `You can specify the ${attribute} only when FifoQueue is set to true.`;
    await assert.rejects(
      create("x", { [attribute]: value }),
      awsError("InvalidAttributeName", text),
    );
    await assert.rejects(
      create("x.fifo", { ...fifo, [attribute]: "other" }),
      awsError("InvalidAttributeValue", `Invalid value for the parameter ${attribute}.`),
    );
  }
  const perGroup =
    "The perMessageGroupId value is allowed only when the value for DeduplicationScope is " +
    "messageGroup";
  await assert.rejects(
    create("x.fifo", { ...fifo, FifoThroughputLimit: "perMessageGroupId" }),
    awsError("InvalidAttributeValue", perGroup),
  );
  await create("fast.fifo", {
    ...fifo,
    FifoThroughputLimit: "perMessageGroupId",
    DeduplicationScope: "messageGroup",
  });
  const QueueUrl = await createQueue(scene.sqs, "y.fifo", fifo);
  await assert.rejects(
    scene.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { FifoQueue: "false" } })),
    awsError(
      "InvalidAttributeValue",
      "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    ),
  );
  await createQueue(scene.sqs, "plain-dead");
  const deadLetterTargetArn = arn("plain-dead");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 });
  await assert.rejects(
    create("z.fifo", { ...fifo, RedrivePolicy }),
    awsError(name, /Reason: Dead-letter queue must be same type of queue as the source\.\.$/),
  );
});

test("send, receive and delete; an expired handle is refused", async () => {
  const QueueUrl = await createQueue(scene.sqs, "orders.fifo", {
    ...fifo,
    KmsMasterKeyId: "alias/aws/sqs",
  });
  const ids = (body: string) => ({ MessageGroupId: "g", MessageDeduplicationId: body });
  const first = await send(QueueUrl, "one", ids("one"));
  const second = await send(QueueUrl, "two", ids("two"));
  assert.match(first.SequenceNumber ?? "", /^\d{20}$/);
  assert.ok((first.SequenceNumber ?? "") < (second.SequenceNumber ?? ""));
  const duplicate = await send(QueueUrl, "other", ids("one"));
  assert.equal(duplicate.MessageId, first.MessageId);
  assert.equal(duplicate.SequenceNumber, first.SequenceNumber);
  const got = await receive(QueueUrl, 10, { VisibilityTimeout: 10 });
  assert.deepEqual(
    got.map(({ Body }) => Body),
    ["one", "two"],
  );
  const remove = (ReceiptHandle: string | undefined) =>
    scene.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  await remove(got[0]?.ReceiptHandle);
  await advance(scene, 10);
  await assert.rejects(
    remove(got[1]?.ReceiptHandle),
    awsError(
      "InvalidParameterValue",
      /^Value \S+ for parameter ReceiptHandle is invalid\. Reason: The receipt handle has expired\.$/,
    ),
  );
});

test("in a batch a missing group fails the whole call, with another code than alone", async () => {
  const QueueUrl = await createQueue(scene.sqs, "batch.fifo", {
    ...fifo,
    ContentBasedDeduplication: "true",
  });
  const text = "The request must contain the parameter MessageGroupId.";
  await assert.rejects(send(QueueUrl, "x"), awsError("MissingParameter", text));
  const entries = (MessageGroupId: string | undefined) => [
    { Id: "1", MessageBody: "x", MessageGroupId: "g" },
    { Id: "2", MessageBody: "y", MessageGroupId },
  ];
  const batch = (group: string | undefined) =>
    scene.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(group) }));
  await assert.rejects(batch(undefined), awsError("InvalidParameterValue", text));
  const { Successful = [] } = await batch("g");
  assert.ok(Successful.every(({ SequenceNumber }) => /^\d{20}$/.test(SequenceNumber ?? "")));
});

test("what was sent is remembered over a restart", async () => {
  const own = await sqsScene();
  try {
    const { server } = own;
    const created = await server.rootClients.sqs.createQueue({
      QueueName: "kept.fifo",
      Attributes: { ...fifo, ContentBasedDeduplication: "true" },
    });
    const message = { MessageBody: "yes", MessageGroupId: "g" };
    const path = new URL(created.QueueUrl ?? "").pathname;
    const first = await server.rootClients.sqs.sendMessage({ QueueUrl: path, ...message });
    const again = await server.restart();
    try {
      const second = await again.rootClients.sqs.sendMessage({ QueueUrl: path, ...message });
      assert.equal(second.MessageId, first.MessageId);
    } finally {
      await again.stop();
    }
  } finally {
    await own.stop();
  }
});

test("a FIFO queue in the query protocol", async () => {
  const created = await queryCall(
    scene,
    {
      Action: "CreateQueue",
      QueueName: "query.fifo",
      "Attribute.1.Name": "FifoQueue",
      "Attribute.1.Value": "true",
    },
    "/",
  );
  assert.equal(created.status, 200);
  const path = `/${scene.accountId}/query.fifo`;
  const parameters = { MessageBody: "hello", MessageGroupId: "g", MessageDeduplicationId: "d" };
  const sent = await queryCall(scene, { Action: "SendMessage", ...parameters }, path);
  assert.match(sent.text, /<SequenceNumber>\d{20}<\/SequenceNumber>/);
  const got = await queryCall(scene, { Action: "ReceiveMessage", "AttributeName.1": "All" }, path);
  assert.match(got.text, /<Name>MessageGroupId<\/Name><Value>g<\/Value>/);
  const missing = await queryCall(scene, { Action: "SendMessage", MessageBody: "x" }, path);
  assert.equal(missing.status, 400);
  assert.match(missing.text, /<Code>MissingParameter<\/Code>/);
});

test("a move task from start to end, also cancelled, in both protocols", async () => {
  const dead = await createQueue(scene.sqs, "dead");
  const deadLetterTargetArn = arn("dead");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 });
  const source = await createQueue(scene.sqs, "source", { RedrivePolicy });
  for (const body of ["one", "two", "three"]) await send(source, body);
  await receive(source, 10, { VisibilityTimeout: 0 });
  await receive(source);
  assert.equal((await receive(dead, 10, { VisibilityTimeout: 0 })).length, 3);
  const start = (more: object = {}) =>
    scene.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn("dead"), ...more }));
  const { TaskHandle } = await start({ MaxNumberOfMessagesPerSecond: 1 });
  await advance(scene, 1);
  const listed = await scene.sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn("dead") }));
  assert.equal(listed.Results?.[0]?.Status, "RUNNING");
  assert.equal(listed.Results?.[0]?.TaskHandle, TaskHandle);
  assert.equal(typeof listed.Results?.[0]?.StartedTimestamp, "number");
  const cancelled = await scene.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
  assert.ok((cancelled.ApproximateNumberOfMessagesMoved ?? 0) >= 1);
  await assert.rejects(
    scene.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle })),
    awsError("ResourceNotFoundException", "Task does not exist.", { status: 404 }),
  );
  const form = { Action: "StartMessageMoveTask", SourceArn: arn("dead") };
  const started = await queryCall(scene, form, "/");
  assert.match(started.text, /<TaskHandle>[^<]+<\/TaskHandle>/);
  for (let turn = 0; turn < 20; turn++) {
    await advance(scene, 1);
    const { Results } = await scene.sqs.send(
      new ListMessageMoveTasksCommand({ SourceArn: arn("dead"), MaxResults: 10 }),
    );
    if (Results?.[0]?.Status === "COMPLETED") break;
  }
  assert.equal((await receive(source)).length, 3);
});
