import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  type QueueAttributeName,
  SendMessageCommand,
  type SQSClient,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { advance, awsError, createQueue, type SqsScene, sqsScene } from "./sqs-scene.ts";

// Goal: queues are made, found, tagged, purged and deleted as on AWS, refusals included.
// Method: the real SDK over HTTPS; codes, texts and status as recorded in the fact sheets.

let scene: SqsScene;
let sqs: SQSClient;
before(async () => {
  scene = await sqsScene();
  sqs = scene.sqs;
});
after(() => scene.stop());

type Attributes = Partial<Record<QueueAttributeName, string>>;

async function attributesOf(QueueUrl: string, names: QueueAttributeName[] = ["All"]) {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names });
  return (await sqs.send(command)).Attributes ?? {};
}
const create = (QueueName: string, Attributes?: Attributes) =>
  sqs.send(new CreateQueueCommand({ QueueName, Attributes }));

test("the same name again is the same queue, unless an attribute differs", async () => {
  const { QueueUrl } = await create("again", { DelaySeconds: "5" });
  assert.equal((await create("again")).QueueUrl, QueueUrl);
  assert.equal((await create("again", { DelaySeconds: "5", Policy: "" })).QueueUrl, QueueUrl);
  const expected = awsError(
    "QueueNameExists",
    "A queue already exists with the same name and a different value for attribute DelaySeconds",
    { query: "QueueAlreadyExists" },
  );
  await assert.rejects(create("again", { VisibilityTimeout: "30", DelaySeconds: "6" }), expected);
});

test("names are checked; the suffix .fifo belongs to FIFO queues", async () => {
  const name =
    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
  for (const wrong of ["a b", "é", "x".repeat(81), "a.fifo"]) {
    await assert.rejects(create(wrong), awsError("InvalidParameterValue", name));
  }
  await assert.rejects(
    create("plain", { FifoQueue: "true" }),
    awsError("InvalidParameterValue", /^The name of a FIFO queue can only include/),
  );
  await assert.rejects(
    create("plain", { FifoQueue: "false" }),
    awsError("InvalidAttributeName", "Unknown Attribute FifoQueue."),
  );
});

test("queues are found by name, by prefix and page by page", async () => {
  for (const name of ["list-a", "list-b", "list-c"]) await createQueue(sqs, name);
  const names = (urls: readonly string[] = []) => urls.map((url) => url.split("/").at(-1));
  const list = (input: object) => sqs.send(new ListQueuesCommand(input));
  const all = await list({ QueueNamePrefix: "list-" });
  assert.deepEqual(names(all.QueueUrls), ["list-a", "list-b", "list-c"]);
  assert.equal(all.NextToken, undefined);
  const first = await list({ QueueNamePrefix: "list-", MaxResults: 2 });
  assert.deepEqual(names(first.QueueUrls), ["list-a", "list-b"]);
  const rest = { QueueNamePrefix: "list-", MaxResults: 2, NextToken: first.NextToken };
  const second = await list(rest);
  assert.deepEqual(names(second.QueueUrls), ["list-c"]);
  assert.equal(second.NextToken, undefined);
  assert.equal((await list({ QueueNamePrefix: "nothing" })).QueueUrls, undefined);
  await assert.rejects(
    list({ NextToken: "garbage", MaxResults: 1 }),
    awsError("InvalidParameterValue", "Invalid or expired next token."),
  );
  const found = await sqs.send(new GetQueueUrlCommand({ QueueName: "list-a" }));
  assert.equal(found.QueueUrl, all.QueueUrls?.[0]);
  const absent = awsError("QueueDoesNotExist", "The specified queue does not exist.", {
    query: "AWS.SimpleQueueService.NonExistentQueue",
  });
  await assert.rejects(sqs.send(new GetQueueUrlCommand({ QueueName: "List-a" })), absent);
  for (const QueueUrl of ["list-none", "https://sqs.us-east-1.amazonaws.com/list-a"]) {
    await assert.rejects(sqs.send(new PurgeQueueCommand({ QueueUrl })), absent);
  }
  const foreign = `https://queue.amazonaws.com/${scene.accountId}/list-a`;
  for (const QueueUrl of ["list-a", foreign]) {
    const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    assert.ok(sent.MessageId, "hosts of other forms and bare names reach the queue");
  }
});

test("tags are added, replaced, removed, and bounded", async () => {
  const tags = { team: "a", empty: "" };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "tagged", tags }));
  const list = async () => (await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags;
  assert.deepEqual(await list(), tags);
  const tag = (Tags: Record<string, string>) => sqs.send(new TagQueueCommand({ QueueUrl, Tags }));
  await tag({ team: "b", more: "c" });
  assert.deepEqual(await list(), { team: "b", empty: "", more: "c" });
  const many = Array.from({ length: 48 }, (_, n) => [`t${n}`, ""]);
  await assert.rejects(
    tag(Object.fromEntries(many)),
    awsError("InvalidParameterValue", "Too many tags added for queue tagged."),
  );
  await assert.rejects(
    tag({}),
    awsError("MissingParameter", "The request must contain the parameter Tags."),
  );
  const TagKeys = ["team", "empty", "more", "absent"];
  await sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys }));
  assert.equal(await list(), undefined);
});

test("a deleted queue is gone, its name free after a minute", async () => {
  const QueueUrl = await createQueue(sqs, "short-lived");
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  const absent = awsError("QueueDoesNotExist");
  await assert.rejects(sqs.send(new DeleteQueueCommand({ QueueUrl })), absent);
  await assert.rejects(attributesOf(QueueUrl), absent);
  await assert.rejects(
    create("short-lived"),
    awsError(
      "QueueDeletedRecently",
      "You must wait 60 seconds after deleting a queue before you can create another with the " +
        "same name.",
      { query: "AWS.SimpleQueueService.QueueDeletedRecently" },
    ),
  );
  await advance(scene, 60);
  await create("short-lived");
});

test("a purge rests a minute", async () => {
  const QueueUrl = await createQueue(sqs, "purged");
  const purge = () => sqs.send(new PurgeQueueCommand({ QueueUrl }));
  await purge();
  await assert.rejects(
    purge(),
    awsError(
      "PurgeQueueInProgress",
      "Only one PurgeQueue operation on purged is allowed every 60 seconds.",
      { status: 403, query: "AWS.SimpleQueueService.PurgeQueueInProgress" },
    ),
  );
  await advance(scene, 60);
  await purge();
});
