// Goal: every management call and every KMS call, direct or made for SNS and SQS, denied or not, is
// in the event history at once, with the right identity, source, context and resources, and with no
// body and no secret. Method: each call once, its record looked up right after; canaries in all
// that is secret, and all records searched for them in every form.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { formsOf } from "./files.ts";
import {
  type AuditRecord,
  delegateTo,
  newScene,
  path,
  refuses,
  type Scene,
  type Statement,
  snsMayUseKey,
} from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const root = () => scene.server.rootClients;
const messaging: Statement = { Action: ["sqs:*", "sns:*"] };
const canary = "canary-6f1e0b7a94d2";

/** The newest record of this name. */
async function newest(name: string): Promise<AuditRecord> {
  const found = (await scene.events({ name })).at(-1);
  assert.ok(found, `no record of ${name}`);
  return found;
}

async function countOf(name: string): Promise<number> {
  return (await scene.events({ name })).length;
}

test("management calls are readable at once, each with exactly one record", async () => {
  const { sqs, sns, kms, iam } = root();
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "managed" });
  const { TopicArn = "" } = await sns.createTopic({ Name: "managed" });
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  await iam.createUser({ UserName: "managed" });
  const { AccessKey } = await iam.createAccessKey({ UserName: "managed" });
  const AliasName = "alias/managed";
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "sqs:*", Resource: "*" },
  });
  const UserName = "managed";
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    SetQueueAttributes: () =>
      sqs.setQueueAttributes({ QueueUrl, Attributes: { KmsMasterKeyId: KeyId } }),
    TagQueue: () => sqs.tagQueue({ QueueUrl, Tags: { a: "b" } }),
    UntagQueue: () => sqs.untagQueue({ QueueUrl, TagKeys: ["a"] }),
    PurgeQueue: () => sqs.purgeQueue({ QueueUrl }),
    SetTopicAttributes: () =>
      sns.setTopicAttributes({
        TopicArn,
        AttributeName: "KmsMasterKeyId",
        AttributeValue: KeyId,
      }),
    Subscribe: () =>
      sns.subscribe({
        TopicArn,
        Protocol: "sqs",
        Endpoint: `arn:aws:sqs:${scene.region}:${scene.accountId}:managed`,
      }),
    CreateAlias: () => kms.createAlias({ AliasName, TargetKeyId: KeyId }),
    UpdateAlias: () => kms.updateAlias({ AliasName, TargetKeyId: KeyId }),
    DescribeKey: () => kms.describeKey({ KeyId }),
    GetKeyPolicy: () => kms.getKeyPolicy({ KeyId }),
    DisableKey: () => kms.disableKey({ KeyId }),
    EnableKey: () => kms.enableKey({ KeyId }),
    EnableKeyRotation: () => kms.enableKeyRotation({ KeyId }),
    GetKeyRotationStatus: () => kms.getKeyRotationStatus({ KeyId }),
    DeleteAlias: () => kms.deleteAlias({ AliasName }),
    PutUserPolicy: () => iam.putUserPolicy({ UserName, PolicyName: "p", PolicyDocument }),
    GetUserPolicy: () => iam.getUserPolicy({ UserName, PolicyName: "p" }),
    ListAccessKeys: () => iam.listAccessKeys({ UserName }),
    UpdateAccessKey: () =>
      iam.updateAccessKey({
        UserName,
        AccessKeyId: AccessKey?.AccessKeyId ?? "",
        Status: "Inactive",
      }),
    DeleteUserPolicy: () => iam.deleteUserPolicy({ UserName, PolicyName: "p" }),
    GetCallerIdentity: () => root().sts.getCallerIdentity({}),
    ScheduleKeyDeletion: () => kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 }),
    CancelKeyDeletion: () => kms.cancelKeyDeletion({ KeyId }),
    DeleteTopic: () => sns.deleteTopic({ TopicArn }),
    DeleteQueue: () => sqs.deleteQueue({ QueueUrl }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const before = await countOf(name);
    await call();
    assert.equal(await countOf(name), before + 1, name);
    const { userIdentity, sourceIPAddress, errorCode } = await newest(name);
    assert.equal(userIdentity.type, "Root", name);
    assert.equal(userIdentity.accessKeyId, scene.server.root.accessKeyId, name);
    assert.equal(sourceIPAddress, "127.0.0.1", name);
    assert.equal(errorCode, undefined, name);
  }
  for (const name of ["CreateQueue", "CreateTopic", "CreateKey", "CreateUser", "CreateAccessKey"]) {
    assert.equal((await newest(name)).userIdentity.type, "Root", name);
  }
});

test("KMS calls, direct: identity, context, resource; the twin is denied and there as well", async () => {
  const key = await scene.key("direct");
  const allowed = await scene.user("direct", { Action: "kms:*" });
  const denied = await scene.user("direct-denied", { Action: "kms:DescribeKey" });
  const EncryptionContext = { department: "cardiology" };
  const KeyId = key.alias;
  const blob = await allowed.clients.kms.encrypt({
    KeyId,
    Plaintext: Buffer.from(canary),
    EncryptionContext,
  });
  const { CiphertextBlob } = blob;
  type Kms = typeof allowed.clients.kms;
  const calls: Readonly<Record<string, (kms: Kms) => Promise<unknown>>> = {
    Encrypt: (kms) => kms.encrypt({ KeyId, Plaintext: Buffer.from(canary), EncryptionContext }),
    Decrypt: (kms) => kms.decrypt({ CiphertextBlob, EncryptionContext }),
    GenerateDataKey: (kms) => kms.generateDataKey({ KeyId, KeySpec: "AES_256", EncryptionContext }),
    GenerateDataKeyWithoutPlaintext: (kms) =>
      kms.generateDataKeyWithoutPlaintext({ KeyId, KeySpec: "AES_256", EncryptionContext }),
  };
  for (const [name, call] of Object.entries(calls)) {
    await call(allowed.clients.kms);
    const done = await newest(name);
    assert.equal(done.userIdentity.arn, allowed.arn, name);
    assert.equal(done.userIdentity.invokedBy, undefined, name);
    assert.deepEqual(done.requestParameters?.encryptionContext, EncryptionContext, name);
    assert.equal(done.resources?.[0]?.ARN, key.arn, name);
    assert.equal(done.errorCode, undefined, name);
    await refuses(call(denied.clients.kms), "AccessDeniedException", /not authorized|ciphertext/);
    const refused = await newest(name);
    assert.equal(refused.userIdentity.arn, denied.arn, name);
    assert.equal(refused.errorCode, "AccessDenied", name);
    assert.match(refused.errorMessage ?? "", new RegExp(`kms:${name}`), name);
    assert.notEqual(refused.eventID, done.eventID);
  }
});

test("KMS calls for SQS: the user, invoked by sqs.amazonaws.com, with the queue's context", async () => {
  const key = await scene.key("via-sqs");
  const queue = await scene.queue("via-sqs", { KmsMasterKeyId: key.alias });
  const user = await scene.user("via-sqs", messaging, { Action: "kms:*" });
  const { sqs } = user.clients;
  await sqs.sendMessage({ QueueUrl: queue.url, MessageBody: canary });
  await sqs.receiveMessage({ QueueUrl: queue.url });
  for (const name of ["GenerateDataKey", "Decrypt"]) {
    const [event, ...more] = await scene.events({ name, contextArn: queue.arn });
    assert.deepEqual(more, []);
    assert.deepEqual(event?.userIdentity, {
      type: "IAMUser",
      principalId: user.userId,
      arn: user.arn,
      accountId: scene.accountId,
      accessKeyId: user.accessKeyId,
      userName: "via-sqs",
      invokedBy: "sqs.amazonaws.com",
    });
    assert.equal(event?.sourceIPAddress, "sqs.amazonaws.com");
    assert.equal(event?.userAgent, "sqs.amazonaws.com");
    assert.deepEqual(event?.requestParameters?.encryptionContext, { "aws:sqs:arn": queue.arn });
    assert.deepEqual(event?.resources, [
      { accountId: scene.accountId, type: "AWS::KMS::Key", ARN: key.arn },
    ]);
    assert.equal(event?.readOnly, true);
  }
  const poor = await scene.user("via-sqs-poor", messaging);
  await refuses(
    poor.clients.sqs.sendMessage({ QueueUrl: queue.url, MessageBody: canary }),
    "KmsAccessDenied",
  );
  const [denied] = await scene.events({ contextArn: queue.arn, user: "via-sqs-poor" });
  assert.equal(denied?.errorCode, "AccessDenied");
  assert.equal(denied?.userIdentity.invokedBy, "sqs.amazonaws.com");
});

test("KMS calls for SNS: the publisher for the topic, the service for the queue", async () => {
  const key = await scene.key("via-sns", delegateTo(scene.accountId), snsMayUseKey());
  const topic = await scene.topic("via-sns", { KmsMasterKeyId: key.arn });
  const queue = await scene.queue("via-sns", { KmsMasterKeyId: key.arn });
  await scene.subscribe(topic, queue);
  const user = await scene.user("via-sns", messaging, { Action: "kms:*" });
  await user.clients.sns.publish({ TopicArn: topic, Message: canary, Subject: canary });
  for (const name of ["GenerateDataKey", "Decrypt"]) {
    const [event] = await scene.events({ name, contextArn: topic });
    assert.equal(event?.userIdentity.arn, user.arn);
    assert.equal(event?.userIdentity.invokedBy, "sns.amazonaws.com");
    assert.equal(event?.sourceIPAddress, "sns.amazonaws.com");
    assert.deepEqual(event?.requestParameters?.encryptionContext, { "aws:sns:topicArn": topic });
  }
  const [forQueue] = await scene.events({ name: "GenerateDataKey", contextArn: queue.arn });
  assert.deepEqual(forQueue?.userIdentity, { type: "AWSService", invokedBy: "sns.amazonaws.com" });
});

test("other refusals are there with their code: disabled, missing, denied management", async () => {
  const key = await scene.key("refused");
  await root().kms.disableKey({ KeyId: key.id });
  await refuses(
    root().kms.generateDataKey({ KeyId: key.id, KeySpec: "AES_256" }),
    "DisabledException",
  );
  assert.equal((await newest("GenerateDataKey")).errorCode, "DisabledException");
  await refuses(root().kms.describeKey({ KeyId: "alias/none" }), "NotFoundException");
  assert.equal((await newest("DescribeKey")).errorCode, "NotFoundException");
  const poor = await scene.user("refused", { Action: "sts:*" });
  const { sqs, kms, iam, sns } = poor.clients;
  const denied: Readonly<Record<string, () => Promise<unknown>>> = {
    CreateQueue: () => sqs.createQueue({ QueueName: "refused" }),
    CreateTopic: () => sns.createTopic({ Name: "refused" }),
    CreateKey: () => kms.createKey({}),
    PutKeyPolicy: () => kms.putKeyPolicy({ KeyId: key.id, Policy: "{}" }),
    CreateUser: () => iam.createUser({ UserName: "refused-2" }),
    LookupEvents: () => poor.clients.cloudtrail.lookupEvents({}),
  };
  for (const [name, call] of Object.entries(denied)) {
    await assert.rejects(call(), name);
    const event = (await scene.events({ name, user: "refused" })).at(-1);
    assert.equal(event?.errorCode, "AccessDenied", name);
    assert.equal(event?.userIdentity.arn, poor.arn, name);
  }
});

test("message operations are no events of the history; their KMS calls are", async () => {
  const queue = await scene.queue("data");
  const QueueUrl = path(queue.url);
  await root().sqs.sendMessage({ QueueUrl, MessageBody: canary });
  const { Messages } = await root().sqs.receiveMessage({ QueueUrl });
  const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
  await root().sqs.deleteMessage({ QueueUrl, ReceiptHandle });
  const names = new Set((await scene.events()).map(({ eventName }) => eventName));
  for (const name of ["SendMessage", "ReceiveMessage", "DeleteMessage", "Publish"]) {
    assert.equal(names.has(name), false, name);
  }
  assert.equal(names.has("GenerateDataKey"), true, "the twin");
});

test("no record of all these tests holds a body, a key or a secret", async () => {
  const { iam, kms } = root();
  const { KeyId } = (await kms.createKey({})).KeyMetadata ?? {};
  const made = await kms.generateDataKey({ KeyId, KeySpec: "AES_256" });
  await kms.decrypt({ CiphertextBlob: made.CiphertextBlob });
  await iam.createUser({ UserName: "secretive" });
  const { AccessKey } = await iam.createAccessKey({ UserName: "secretive" });
  const secrets = [
    Buffer.from(canary),
    Buffer.from(made.Plaintext ?? []),
    Buffer.from(AccessKey?.SecretAccessKey ?? ""),
    Buffer.from(scene.server.root.secretAccessKey),
  ];
  const records = (await scene.events()).map((event) => Buffer.from(JSON.stringify(event)));
  assert.ok(records.length > 80, `${records.length} records`);
  const holds = (needle: Buffer) => records.some((record) => record.includes(needle));
  for (const secret of secrets) assert.equal(formsOf(secret).some(holds), false);
  assert.equal(holds(Buffer.from(AccessKey?.AccessKeyId ?? "")), true, "the twin");
});
