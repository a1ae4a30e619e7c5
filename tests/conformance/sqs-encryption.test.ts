import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  ScheduleKeyDeletionCommand,
} from "@aws-sdk/client-kms";
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { advance, awsError, createQueue, type SqsScene, sqsScene, userOf } from "./sqs-scene.ts";

// Goal: SSE-KMS is real: the key, its policy and its state decide who sends and who receives; a
// refused receive costs nothing; old messages open after key or setting changed.
// Method: the real SDKs against SQS and KMS of one server, users with narrow policies, a clock
// that moves past the reuse period of data keys.

let scene: SqsScene;
before(async () => {
  scene = await sqsScene();
});
after(() => scene.stop());

const send = (client: SQSClient, QueueUrl: string, MessageBody: string) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
const receive = async (client: SQSClient, QueueUrl: string, VisibilityTimeout = 0) => {
  const input = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout };
  const command = new ReceiveMessageCommand({ ...input, AttributeNames: ["All"] });
  const { Messages = [] } = await client.send(command);
  return Messages.map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount]);
};
const bodies = async (client: SQSClient, url: string) =>
  (await receive(client, url)).map(([body]) => body).sort();

/** A key by its alias, and a queue under it. */
async function encryptedQueue(name: string) {
  const { kms, sqs } = scene;
  const key = await kms.send(new CreateKeyCommand({}));
  const KeyId = key.KeyMetadata?.KeyId ?? "";
  const KmsMasterKeyId = `alias/${name}`;
  await kms.send(new CreateAliasCommand({ AliasName: KmsMasterKeyId, TargetKeyId: KeyId }));
  const url = await createQueue(sqs, name, { KmsMasterKeyId });
  return { url, KeyId, arn: key.KeyMetadata?.Arn ?? "" };
}

const proxy = (code: string) =>
  new RegExp(
    ` \\(Service: AWSKMS; Status Code: 400; Error Code: ${code}; Request ID: [0-9a-f-]{36}; ` +
      "Proxy: null\\)$",
  );

test("a producer needs kms:GenerateDataKey, a consumer kms:Decrypt, and nothing more", async () => {
  const { url, arn } = await encryptedQueue("rights");
  const producer = await userOf(scene, "producer", [
    { Action: "sqs:SendMessage", Resource: "*" },
    { Action: "kms:GenerateDataKey", Resource: arn },
  ]);
  const consumer = await userOf(scene, "consumer", [
    { Action: "sqs:ReceiveMessage", Resource: "*" },
    { Action: "kms:Decrypt", Resource: arn },
  ]);
  const poor = await userOf(scene, "poor", [{ Action: "sqs:*", Resource: "*" }]);
  await send(producer.sqs, url, "secret");
  const query = { query: "KMS.AccessDeniedException" };
  const text = proxy("AccessDeniedException");
  await assert.rejects(send(poor.sqs, url, "x"), awsError("KmsAccessDenied", text, query));
  const Entries = [{ Id: "a", MessageBody: "x" }];
  await assert.rejects(
    poor.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })),
    awsError("KmsAccessDenied", text, query),
  );
  await assert.rejects(receive(poor.sqs, url), awsError("KmsAccessDenied", text, query));
  assert.deepEqual(await receive(consumer.sqs, url), [["secret", "1"]], "the refusal cost nothing");
});

test("a disabled key refuses once the reuse period is over; enabled, all opens again", async () => {
  const { url, KeyId } = await encryptedQueue("disabled");
  await send(scene.sqs, url, "before");
  await scene.kms.send(new DisableKeyCommand({ KeyId }));
  await send(scene.sqs, url, "cached");
  await advance(scene, 300);
  const disabled = awsError("KmsDisabled", proxy("DisabledException"), {
    query: "KMS.DisabledException",
  });
  await assert.rejects(send(scene.sqs, url, "x"), disabled);
  await assert.rejects(receive(scene.sqs, url), disabled);
  const { Attributes } = await scene.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
  );
  assert.equal(Attributes?.ApproximateNumberOfMessages, "2");
  await scene.kms.send(new EnableKeyCommand({ KeyId }));
  assert.deepEqual(await receive(scene.sqs, url), [
    ["before", "1"],
    ["cached", "1"],
  ]);
});

test("a key pending deletion, a missing key and one that is none each have their code", async () => {
  const { url, KeyId } = await encryptedQueue("deleted");
  await scene.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  await assert.rejects(
    send(scene.sqs, url, "x"),
    awsError("KmsInvalidState", proxy("KMSInvalidStateException"), {
      query: "KMS.InvalidStateException",
    }),
  );
  const missing = awsError("KmsNotFound", proxy("NotFoundException"), {
    query: "KMS.NotFoundException",
  });
  for (const KmsMasterKeyId of ["testKeyId", "alias/none"]) {
    const Attributes = { KmsMasterKeyId };
    await scene.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
    await assert.rejects(send(scene.sqs, url, "x"), missing);
  }
});

test("a change of key or setting leaves older messages as they are, and they open", async () => {
  const { url } = await encryptedQueue("changing");
  const set = (Attributes: Record<string, string>) =>
    scene.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
  await send(scene.sqs, url, "a: first key");
  await encryptedQueue("changing-second");
  await set({ KmsMasterKeyId: "alias/changing-second" });
  await send(scene.sqs, url, "b: second key");
  await set({ KmsMasterKeyId: "" });
  await send(scene.sqs, url, "c: no SSE");
  await set({ SqsManagedSseEnabled: "true" });
  await send(scene.sqs, url, "d: SSE-SQS");
  const all = ["a: first key", "b: second key", "c: no SSE", "d: SSE-SQS"];
  assert.deepEqual(await bodies(scene.sqs, url), all);
  const poor = await userOf(scene, "no-keys", [{ Action: "sqs:*", Resource: "*" }]);
  assert.deepEqual(await bodies(poor.sqs, url), all.slice(2), "what opens is received");
});

test("the AWS managed key appears at first use", async () => {
  const url = await createQueue(scene.sqs, "managed", { KmsMasterKeyId: "alias/aws/sqs" });
  await send(scene.sqs, url, "managed");
  assert.deepEqual(await bodies(scene.sqs, url), ["managed"]);
});

test("an SSE-KMS queue is reached over HTTPS only; others over HTTP, too", async () => {
  const { url } = await encryptedQueue("secure");
  const plain = await createQueue(scene.sqs, "insecure");
  const expected = awsError("InvalidSecurity", undefined, { status: 403 });
  const path = (queue: string) => new URL(queue).pathname;
  await assert.rejects(send(scene.plainSqs, path(url), "x"), expected);
  await assert.rejects(
    scene.plainSqs.send(
      new GetQueueAttributesCommand({ QueueUrl: path(url), AttributeNames: ["QueueArn"] }),
    ),
    expected,
  );
  await send(scene.plainSqs, path(plain), "x");
});
