import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { advance, awsError, createQueue, type SqsScene, sqsScene } from "./sqs-scene.ts";

// Goal: messages are sent, received, hidden and deleted as on AWS, alone and in batches.
// Method: the real SDK over HTTPS, which checks the MD5s of bodies itself; a virtual clock.

let scene: SqsScene;
let sqs: SQSClient;
before(async () => {
  scene = await sqsScene();
  sqs = scene.sqs;
});
after(() => scene.stop());

const send = (QueueUrl: string, MessageBody: string, more?: Partial<SendMessageCommandInput>) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more?: Partial<ReceiveMessageCommandInput>) => {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MessageSystemAttributeNames: ["All"],
    ...more,
  });
  return (await sqs.send(command)).Messages;
};
const invalid = (message: string | RegExp) => awsError("InvalidParameterValue", message);

test("bodies of every legal kind come back, attributes with their MD5s", async () => {
  const url = await createQueue(sqs, "round-trip");
  const body = "tab\tline\nreturn\r <&>\"' é 😀 \ufffd";
  const sent = await send(url, body, {
    MessageAttributes: {
      Hello: { DataType: "String", StringValue: "World" },
      bytes: { DataType: "Binary.png", BinaryValue: new Uint8Array([0, 255]) },
    },
    MessageSystemAttributes: {
      AWSTraceHeader: { DataType: "String", StringValue: "some-trace-id" },
    },
    MessageGroupId: "tenant-1",
  });
  assert.equal(sent.MD5OfMessageSystemAttributes, "fdce4f2818803f2f73becc09a54792c0");
  assert.equal(sent.SequenceNumber, undefined);
  const [message] = (await receive(url, { MessageAttributeNames: ["Hello"] })) ?? [];
  assert.equal(message?.Body, body);
  assert.equal(message?.MessageId, sent.MessageId);
  assert.equal(message?.MD5OfMessageAttributes, "7db7fb1ba7f41366a8ea5eb18220b26d");
  assert.deepEqual(Object.keys(message?.MessageAttributes ?? {}), ["Hello"]);
  const { SentTimestamp, ApproximateFirstReceiveTimestamp, ...rest } = message?.Attributes ?? {};
  assert.match(SentTimestamp ?? "", /^\d{13}$/);
  assert.match(ApproximateFirstReceiveTimestamp ?? "", /^\d{13}$/);
  assert.deepEqual(rest, {
    AWSTraceHeader: "some-trace-id",
    ApproximateReceiveCount: "1",
    MessageGroupId: "tenant-1",
    SenderId: scene.principalId,
  });
  await advance(scene, 30);
  const plain = { MessageSystemAttributeNames: undefined, MessageAttributeNames: ["All"] };
  const [again] = (await receive(url, plain)) ?? [];
  assert.equal(again?.Attributes, undefined);
  assert.deepEqual(again?.MessageAttributes?.bytes?.BinaryValue, new Uint8Array([0, 255]));
  assert.equal(again?.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
});

test("what cannot be sent is refused with AWS's texts", async () => {
  const url = await createQueue(sqs, "refusing", { MaximumMessageSize: "1024" });
  const none = awsError("MissingParameter", "The request must contain the parameter MessageBody.", {
    query: "MissingParameter",
  });
  await assert.rejects(send(url, ""), none);
  for (const [body, shown] of [
    ["ok\tok\u0001\u0002", "#x1"],
    ["\u0085\u001f", "#x1F"],
    ["x\uffff", "#xFFFF"],
  ] as const) {
    const text = `Invalid binary character '${shown}' was found in the message body, `;
    await assert.rejects(
      send(url, body),
      awsError("InvalidMessageContents", new RegExp(`^${text}`)),
    );
  }
  await assert.rejects(
    send(url, "x".repeat(1025)),
    invalid("One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."),
  );
  await send(url, "x".repeat(1024));
  const attribute = { a: { DataType: "String", StringValue: "b" } };
  await assert.rejects(
    send(url, "x".repeat(1017), { MessageAttributes: attribute }),
    invalid(/1024/),
  );
  await send(url, "x".repeat(1016), { MessageAttributes: attribute });
  await assert.rejects(
    send(url, "x", { DelaySeconds: 901 }),
    invalid(
      "Value 901 for parameter DelaySeconds is invalid. " +
        "Reason: DelaySeconds must be >= 0 and <= 900.",
    ),
  );
  await assert.rejects(
    send(url, "x", { MessageDeduplicationId: "d" }),
    invalid(
      "The request include parameter MessageDeduplicationId which is not valid for this queue type",
    ),
  );
  await assert.rejects(send(url, "x", { MessageGroupId: "a b" }), invalid(/^Value a b for param/));
  await assert.rejects(
    send(url, "x", { MessageAttributes: { n: { DataType: "Number", StringValue: "1x" } } }),
    invalid("Can't cast the value of message (user) attribute 'n' to a number."),
  );
});

test("what cannot be received is refused; an empty receive has no Messages", async () => {
  const url = await createQueue(sqs, "empty");
  assert.equal(await receive(url), undefined);
  const wrong: readonly [Partial<ReceiveMessageCommandInput>, string][] = [
    [
      { MaxNumberOfMessages: 11 },
      "Value 11 for parameter MaxNumberOfMessages is invalid. " +
        "Reason: Must be between 1 and 10, if provided.",
    ],
    [
      { WaitTimeSeconds: 21 },
      "Value 21 for parameter WaitTimeSeconds is invalid. " +
        "Reason: Must be >= 0 and <= 20, if provided.",
    ],
    [
      { VisibilityTimeout: 43_201 },
      "Value 43201 for parameter VisibilityTimeout is invalid. " +
        "Reason: Must be >= 0 and <= 43200, if provided.",
    ],
  ];
  for (const [input, message] of wrong) await assert.rejects(receive(url, input), invalid(message));
});

test("receipt handles: current, old, foreign and garbage", async () => {
  const url = await createQueue(sqs, "handles");
  const other = await createQueue(sqs, "other-handles");
  await send(url, "one");
  const [first] = (await receive(url)) ?? [];
  const remove = (QueueUrl: string, ReceiptHandle = "") =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  const change = (ReceiptHandle = "", VisibilityTimeout = 30) =>
    sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }),
    );
  const handle = first?.ReceiptHandle ?? "";
  const garbage = awsError(
    "ReceiptHandleIsInvalid",
    'The input receipt handle "garbage" is not a valid receipt handle.',
    { status: 404 },
  );
  await assert.rejects(remove(url, "garbage"), garbage);
  await assert.rejects(change("garbage"), garbage);
  await assert.rejects(remove(other, handle), awsError("ReceiptHandleIsInvalid"));
  await assert.rejects(
    change(handle, -10),
    invalid(
      "Value -10 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.",
    ),
  );
  await advance(scene, 30);
  await change(handle, 40);
  assert.equal(await receive(url), undefined, "an expired handle hides the message again");
  await advance(scene, 60);
  await remove(url, handle);
  await remove(url, handle);
  assert.equal(await receive(url), undefined, "an expired handle deletes, twice without fault");
  await assert.rejects(
    change(handle),
    invalid(
      `Value ${handle} for parameter ReceiptHandle is invalid. ` +
        "Reason: Message does not exist or is not available for visibility timeout change.",
    ),
  );
});

const batch = (QueueUrl: string, Entries: SendMessageBatchRequestEntry[]) =>
  sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
const entries = (count: number, MessageBody = "x") =>
  Array.from({ length: count }, (_, n) => ({ Id: `e${n}`, MessageBody }));

test("a batch that is wrong as a whole is refused as a whole", async () => {
  const url = await createQueue(sqs, "batches", { MaximumMessageSize: "1024" });
  const coded = (name: string, message: string) =>
    awsError(name, message, { query: `AWS.SimpleQueueService.${name}` });
  await assert.rejects(
    batch(url, []),
    coded(
      "EmptyBatchRequest",
      "There should be at least one SendMessageBatchRequestEntry in the request.",
    ),
  );
  await assert.rejects(
    batch(url, entries(20)),
    coded(
      "TooManyEntriesInBatchRequest",
      "Maximum number of entries per request are 10. You have sent 20.",
    ),
  );
  const id =
    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. " +
    "It can be at most 80 letters long.";
  for (const Id of ["", "a b", "x".repeat(81)]) {
    await assert.rejects(batch(url, [{ Id, MessageBody: "x" }]), coded("InvalidBatchEntryId", id));
  }
  await assert.rejects(
    batch(url, [...entries(2), ...entries(2)]),
    coded("BatchEntryIdsNotDistinct", "Id e0 repeated."),
  );
  await assert.rejects(
    batch(url, [...entries(4, "x".repeat(262_144)), { Id: "last", MessageBody: "x" }]),
    coded(
      "BatchRequestTooLong",
      "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    ),
  );
});

test("an entry that is wrong counts for the size of its batch", async () => {
  const url = await createQueue(sqs, "wrong-and-long");
  const a = { DataType: "No", StringValue: "x".repeat(600_000) };
  const wrong = { Id: "wrong", MessageBody: "y", MessageAttributes: { a } };
  const good = (bytes: number) => ({ Id: "good", MessageBody: "x".repeat(bytes) });
  const message = "You have sent 1048577 bytes.";
  const tooLong = awsError("BatchRequestTooLong", new RegExp(message));
  await assert.rejects(batch(url, [good(448_573), wrong]), tooLong);
  const { Successful, Failed } = await batch(url, [good(448_572), wrong]);
  assert.deepEqual([Successful?.[0]?.Id, Failed?.[0]?.Id], ["good", "wrong"]);
});

test("entries of a batch succeed and fail alone", async () => {
  const url = await createQueue(sqs, "partial", { MaximumMessageSize: "1024" });
  const { Successful, Failed } = await batch(url, [
    { Id: "good", MessageBody: "x" },
    { Id: "long", MessageBody: "x".repeat(1025) },
    { Id: "empty", MessageBody: "" },
  ]);
  assert.deepEqual(
    Successful?.map(({ Id, MD5OfMessageBody }) => [Id, MD5OfMessageBody]),
    [["good", "9dd4e461268c8034f5c8564e155c67a6"]],
  );
  assert.deepEqual(Failed, [
    {
      Id: "long",
      SenderFault: true,
      Code: "InvalidParameterValue",
      Message:
        "One or more parameters cannot be validated. " +
        "Reason: Message must be shorter than 1024 bytes.",
    },
    {
      Id: "empty",
      SenderFault: true,
      Code: "MissingParameter",
      Message: "The request must contain the parameter MessageBody.",
    },
  ]);
  const [message] = (await receive(url, { MaxNumberOfMessages: 10 })) ?? [];
  const ReceiptHandle = message?.ReceiptHandle;
  const changed = await sqs.send(
    new ChangeMessageVisibilityBatchCommand({
      QueueUrl: url,
      Entries: [
        { Id: "a", ReceiptHandle, VisibilityTimeout: 60 },
        { Id: "b", ReceiptHandle, VisibilityTimeout: 43_201 },
        { Id: "c", ReceiptHandle: "x", VisibilityTimeout: 60 },
      ],
    }),
  );
  assert.deepEqual(changed.Successful, [{ Id: "a" }]);
  assert.deepEqual(
    changed.Failed?.map(({ Id, Code, Message }) => [Id, Code, Message]),
    [
      ["b", "InvalidParameterValue", "VisibilityTimeout must be an integer between 0 and 43200."],
      ["c", "ReceiptHandleIsInvalid", 'The input receipt handle "x" is not valid.'],
    ],
  );
  const removed = await sqs.send(
    new DeleteMessageBatchCommand({
      QueueUrl: url,
      Entries: [
        { Id: "a", ReceiptHandle },
        { Id: "b", ReceiptHandle: "x" },
      ],
    }),
  );
  assert.deepEqual(removed.Successful, [{ Id: "a" }]);
  assert.deepEqual(removed.Failed?.[0]?.Code, "ReceiptHandleIsInvalid");
  await advance(scene, 60);
  assert.equal(await receive(url), undefined);
});

test("long polls are answered by the first message, each by another", async () => {
  const url = await createQueue(sqs, "long");
  const polls = [1, 2, 3].map(() => receive(url, { WaitTimeSeconds: 20, MaxNumberOfMessages: 1 }));
  await batch(url, entries(3));
  const got = (await Promise.all(polls)).flatMap((messages) => messages ?? []);
  assert.equal(new Set(got.map(({ MessageId }) => MessageId)).size, 3);
});
