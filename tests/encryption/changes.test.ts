// Goal: a change of key or setting never touches what is stored, and a key that cannot be used
// costs nothing: no message, no receive count, no visibility. Only bodies are sealed.
// Method: one queue through all its settings, keys through all their states, real SDK clients.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { filesWith } from "./files.ts";
import {
  bodies,
  newScene,
  path,
  received,
  refuses,
  type Scene,
  type SceneQueue,
  type Statement,
} from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const root = () => scene.server.rootClients;
const messaging: Statement = { Action: ["sqs:*", "sns:*"] };
const send = (queue: SceneQueue, MessageBody: string) =>
  root().sqs.sendMessage({ QueueUrl: path(queue.url), MessageBody });
const counts = async ({ url }: SceneQueue) => {
  const AttributeNames = ["All" as const];
  const { Attributes = {} } = await root().sqs.getQueueAttributes({
    QueueUrl: path(url),
    AttributeNames,
  });
  return [
    Attributes.ApproximateNumberOfMessages,
    Attributes.ApproximateNumberOfMessagesNotVisible,
  ].map(Number);
};

test("SSE off, on, another key, SSE-SQS, none: older messages open as they were sealed", async () => {
  const first = await scene.key("first");
  const second = await scene.key("second");
  const queue = await scene.queue("changing", { SqsManagedSseEnabled: "false" });
  await send(queue, "a: none");
  await scene.setQueue(queue, { KmsMasterKeyId: first.alias });
  await send(queue, "b: first key");
  await scene.setQueue(queue, { KmsMasterKeyId: second.arn });
  await send(queue, "c: second key");
  await scene.setQueue(queue, { SqsManagedSseEnabled: "true" });
  await send(queue, "d: SSE-SQS");
  await scene.setQueue(queue, { SqsManagedSseEnabled: "false" });
  await send(queue, "e: none");
  const all = ["a: none", "b: first key", "c: second key", "d: SSE-SQS", "e: none"];
  assert.deepEqual(await bodies(root(), queue), all);
  await scene.restart();
  assert.deepEqual(await bodies(root(), queue), all, "after a restart");
  // What opens needs just the key that it was sealed under: each key takes its own message along.
  const { kms } = root();
  await kms.disableKey({ KeyId: first.id });
  await scene.server.advance(300);
  assert.deepEqual(
    await bodies(root(), queue),
    all.filter((body) => !body.startsWith("b")),
  );
  await kms.disableKey({ KeyId: second.id });
  await scene.server.advance(300);
  assert.deepEqual(await bodies(root(), queue), ["a: none", "d: SSE-SQS", "e: none"]);
  for (const { id: KeyId } of [first, second]) await kms.enableKey({ KeyId });
  await scene.server.advance(30);
  assert.deepEqual(await bodies(root(), queue), all, "nothing was lost");
});

test("an alias moved to another key: new data keys come from it, older messages open", async () => {
  const old = await scene.key("moving");
  const fresh = await scene.key("moving-target");
  const queue = await scene.queue("moving", { KmsMasterKeyId: "alias/moving" });
  await send(queue, "a: old key");
  await root().kms.updateAlias({ AliasName: "alias/moving", TargetKeyId: fresh.id });
  await send(queue, "b: cached");
  await scene.server.advance(300);
  await send(queue, "c: new key");
  const used = async () => {
    const events = await scene.events({ name: "GenerateDataKey", contextArn: queue.arn });
    return events.map(({ resources }) => resources?.[0]?.ARN);
  };
  assert.deepEqual(await used(), [old.arn, fresh.arn]);
  assert.deepEqual(await bodies(root(), queue), ["a: old key", "b: cached", "c: new key"]);
  await root().kms.disableKey({ KeyId: old.id });
  await scene.server.advance(300);
  assert.deepEqual(await bodies(root(), queue), ["c: new key"]);
});

test("a rotated key opens what its older material sealed", async () => {
  const key = await scene.key("rotated");
  const queue = await scene.queue("rotated", {
    KmsMasterKeyId: key.alias,
    MessageRetentionPeriod: "1209600",
  });
  await root().kms.enableKeyRotation({ KeyId: key.id, RotationPeriodInDays: 90 });
  const { CiphertextBlob } = await root().kms.encrypt({
    KeyId: key.id,
    Plaintext: Buffer.from("of the first material"),
  });
  await scene.server.advance(90 * 86_400 - 3600);
  await send(queue, "a: before");
  await scene.server.advance(3700);
  await send(queue, "b: after");
  const made = await scene.events({ name: "GenerateDataKey", contextArn: queue.arn });
  const materials = made.map(
    (event) =>
      (event as { additionalEventData?: { keyMaterialId?: string } }).additionalEventData
        ?.keyMaterialId,
  );
  assert.equal(new Set(materials).size, 2, "two materials sealed");
  assert.deepEqual(await bodies(root(), queue), ["a: before", "b: after"]);
  const { Plaintext } = await root().kms.decrypt({ CiphertextBlob });
  assert.equal(Buffer.from(Plaintext ?? []).toString(), "of the first material");
});

test("only the body is sealed: attributes are readable at rest and without the key", async () => {
  const key = await scene.key("body-only");
  const queue = await scene.queue("body-only", { KmsMasterKeyId: key.alias });
  await root().sqs.sendMessage({
    QueueUrl: path(queue.url),
    MessageBody: "the-body-is-sealed-0001",
    MessageAttributes: { ward: { DataType: "String", StringValue: "the-attribute-is-not-0002" } },
  });
  assert.deepEqual(
    filesWith(scene.server.dataFolder, [Buffer.from("the-body-is-sealed-0001")]),
    [],
  );
  const attribute = Buffer.from("the-attribute-is-not-0002");
  assert.notDeepEqual(filesWith(scene.server.dataFolder, [attribute]), []);
  const { Messages = [] } = await root().sqs.receiveMessage({
    QueueUrl: path(queue.url),
    MessageAttributeNames: ["All"],
  });
  assert.equal(Messages[0]?.MessageAttributes?.ward?.StringValue, "the-attribute-is-not-0002");
});

/** What makes a key unusable for a consumer who has no data key yet, and mends it again. */
const troubles = [
  {
    trouble: "disabled",
    code: "KmsDisabled",
    make: (KeyId: string) => root().kms.disableKey({ KeyId }),
    mend: (KeyId: string) => root().kms.enableKey({ KeyId }),
  },
  {
    trouble: "pending deletion",
    code: "KmsInvalidState",
    make: (KeyId: string) => root().kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 }),
    mend: async (KeyId: string) => {
      await root().kms.cancelKeyDeletion({ KeyId });
      await root().kms.enableKey({ KeyId });
    },
  },
  {
    trouble: "denied",
    code: "KmsAccessDenied",
    make: (KeyId: string) =>
      root().iam.putUserPolicy({
        UserName: `c-denied`,
        PolicyName: "no",
        PolicyDocument: deny(KeyId),
      }),
    mend: () => root().iam.deleteUserPolicy({ UserName: "c-denied", PolicyName: "no" }),
  },
] as const;

const deny = (keyId: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Deny",
      Action: "kms:Decrypt",
      Resource: `arn:aws:kms:${scene.region}:${scene.accountId}:key/${keyId}`,
    },
  });

for (const { trouble, code, make, mend } of troubles) {
  test(`${trouble}: a refused receive undoes its claim; nothing is lost`, async () => {
    const name = trouble.replace(" ", "-");
    const key = await scene.key(name);
    const dead = await scene.queue(`${name}-dead`, { SqsManagedSseEnabled: "false" });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const queue = await scene.queue(name, { KmsMasterKeyId: key.alias, RedrivePolicy });
    const { clients } = await scene.user(`c-${name}`, messaging, { Action: "kms:*" });
    for (const body of ["one", "two"]) await send(queue, body);
    await make(key.id);
    for (let i = 0; i < 4; i++) {
      await refuses(received(clients, queue, 3600), code);
      assert.deepEqual(await counts(queue), [2, 0], "visible, not in flight");
    }
    const long = clients.sqs.receiveMessage({ QueueUrl: path(queue.url), WaitTimeSeconds: 5 });
    await refuses(long, code);
    await mend(key.id);
    const first = [
      ["one", "1"],
      ["two", "1"],
    ];
    assert.deepEqual(await received(clients, queue), first, "as if never received before");
    // The twin: receives that succeed do count, up to the dead-letter queue.
    await received(clients, queue);
    assert.deepEqual(await received(clients, queue), []);
    assert.deepEqual(await bodies(clients, dead), ["one", "two"]);
  });
}

test("a message under a disabled key beside a good one: the good comes, the other stays", async () => {
  const bad = await scene.key("half-bad");
  const good = await scene.key("half-good");
  const queue = await scene.queue("half", { KmsMasterKeyId: bad.alias });
  await send(queue, "bad");
  await scene.setQueue(queue, { KmsMasterKeyId: good.alias });
  await send(queue, "good");
  await root().kms.disableKey({ KeyId: bad.id });
  assert.deepEqual(await received(root(), queue, 60), [["good", "1"]]);
  await scene.server.advance(60);
  await root().kms.enableKey({ KeyId: bad.id });
  assert.deepEqual(await bodies(root(), queue), ["bad", "good"]);
});

test("a consumer who takes one at a time is not stuck behind messages under a disabled key", async () => {
  const bad = await scene.key("stuck-bad");
  const good = await scene.key("stuck-good");
  const queue = await scene.queue("stuck", { KmsMasterKeyId: bad.alias });
  for (const body of ["bad 1", "bad 2", "bad 3"]) await send(queue, body);
  await scene.setQueue(queue, { KmsMasterKeyId: good.alias });
  await send(queue, "good");
  await root().kms.disableKey({ KeyId: bad.id });
  const one = () =>
    root().sqs.receiveMessage({ QueueUrl: path(queue.url), VisibilityTimeout: 3600 });
  assert.deepEqual(
    (await one()).Messages?.map(({ Body }) => Body),
    ["good"],
  );
  assert.deepEqual(await counts(queue), [0, 4], "the queue goes on: what was refused counts");
  await scene.server.advance(3600);
  const [got] = (await one()).Messages ?? [];
  assert.equal(got?.Body, "good");
  await root().sqs.deleteMessage({ QueueUrl: path(queue.url), ReceiptHandle: got?.ReceiptHandle });
  await scene.server.advance(3600);
  await refuses(one(), "KmsDisabled");
  assert.deepEqual(await counts(queue), [3, 0], "nothing opens: those that did not are as before");
  await root().kms.enableKey({ KeyId: bad.id });
  assert.deepEqual(await received(root(), queue), [
    ["bad 1", "3"],
    ["bad 2", "3"],
    ["bad 3", "3"],
  ]);
});
