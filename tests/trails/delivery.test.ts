// Goal: trails deliver what they select, whatever happens meanwhile: data events with hidden bodies,
// stops and deletions, keys that refuse, topics that are told, regions, restarts. Method: whole
// servers on a virtual clock; files are read with `sealpost trail cat`.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { readHead } from "../../src/trails/form.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { s3Credentials, startFakeS3 } from "./s3-fake.ts";
import { cat, filesOf, recordsOf, verify } from "./scene.ts";

const account = "123456789012";

async function serverFor(context: TestContext, flags: object = {}): Promise<TestServer> {
  const server = await startTestServer({ flags: { logLevel: "error", ...flags } });
  context.after(() => server.stop());
  return server;
}

async function startTrail(server: TestServer, given: object = {}): Promise<void> {
  const { cloudtrail } = server.rootClients;
  const Name = "main";
  await cloudtrail.createTrail({
    Name,
    S3BucketName: "audit-bucket",
    EnableLogFileValidation: true,
    ...given,
  });
  await cloudtrail.startLogging({ Name });
}

const dataEvents = (type: string, arnStart: string) => ({
  FieldSelectors: [
    { Field: "eventCategory", Equals: ["Data"] },
    { Field: "resources.type", Equals: [type] },
    { Field: "resources.ARN", StartsWith: [arnStart] },
  ],
});

test("data events: of the chosen resources, bodies hidden, never in LookupEvents", async (context) => {
  const server = await serverFor(context);
  const { cloudtrail, sns, sqs } = server.rootClients;
  const TopicArn = (await sns.createTopic({ Name: "chosen" })).TopicArn ?? "";
  const { TopicArn: other } = await sns.createTopic({ Name: "other" });
  const QueueUrl = (await sqs.createQueue({ QueueName: "chosen" })).QueueUrl ?? "";
  const secret = "canary-body-4711";
  await startTrail(server);
  await cloudtrail.putEventSelectors({
    TrailName: "main",
    AdvancedEventSelectors: [
      dataEvents("AWS::SNS::Topic", `arn:aws:sns:us-east-1:${account}:chosen`),
      dataEvents("AWS::SQS::Queue", `arn:aws:sqs:us-east-1:${account}:chosen`),
    ],
  });
  const attributes = { a: { DataType: "String", StringValue: secret } };
  await sns.publish({ TopicArn, Message: secret, Subject: secret, MessageAttributes: attributes });
  await sns.publish({ TopicArn: other, Message: secret });
  await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: [{ Id: "1", Message: secret }],
  });
  await sqs.sendMessage({ QueueUrl, MessageBody: secret, MessageAttributes: attributes });
  await sqs.sendMessageBatch({ QueueUrl, Entries: [{ Id: "1", MessageBody: secret }] });
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl });
  const ReceiptHandle = Messages[0]?.ReceiptHandle ?? "";
  await sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 60 });
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
  const user = await server.createUser("Eve");
  await assert.rejects(user.clients.sqs.sendMessage({ QueueUrl, MessageBody: secret }));
  await server.advance(400);
  const records = await recordsOf(server, "main");
  const data = records.filter(({ eventCategory }) => eventCategory === "Data");
  assert.deepEqual(
    data.map(({ eventName }) => eventName),
    [
      "Publish",
      "PublishBatch",
      "SendMessage",
      "SendMessageBatch",
      "ReceiveMessage",
      "ChangeMessageVisibility",
      "DeleteMessage",
      "SendMessage",
    ],
  );
  assert.equal(JSON.stringify(records).includes(secret), false);
  const sent = data[2] as unknown as Record<string, unknown>;
  assert.deepEqual(sent.requestParameters, {
    queueUrl: QueueUrl,
    messageBody: "HIDDEN_DUE_TO_SECURITY_REASONS",
    messageAttributes: "HIDDEN_DUE_TO_SECURITY_REASONS",
  });
  assert.equal(sent.managementEvent, false);
  assert.deepEqual(sent.resources, [
    { accountId: account, type: "AWS::SQS::Queue", ARN: `arn:aws:sqs:us-east-1:${account}:chosen` },
  ]);
  const denied = data.at(-1) as unknown as Record<string, unknown>;
  assert.equal(denied.errorCode, "AccessDenied");
  const { Events = [] } = await cloudtrail.lookupEvents({});
  const names = Events.map(({ EventName }) => EventName);
  assert.equal(names.includes("SendMessage") || names.includes("Publish"), false);
  assert.equal((await verify(server)).code, 0);
});

test("a source can be left out, reads as well", async (context) => {
  const server = await serverFor(context);
  const { cloudtrail, kms, sns } = server.rootClients;
  await startTrail(server);
  await cloudtrail.putEventSelectors({
    TrailName: "main",
    EventSelectors: [
      { ReadWriteType: "WriteOnly", ExcludeManagementEventSources: ["kms.amazonaws.com"] },
    ],
  });
  await kms.createKey({});
  await sns.listTopics({});
  await sns.createTopic({ Name: "t" });
  await server.advance(400);
  const names = (await recordsOf(server, "main")).map(({ eventName }) => eventName);
  assert.deepEqual(names, ["PutEventSelectors", "CreateTopic"]);
});

test("a stop delivers what it has and a last digest; a start begins a new chain", async (context) => {
  const server = await serverFor(context);
  const { cloudtrail, sns } = server.rootClients;
  await startTrail(server);
  await sns.createTopic({ Name: "t" });
  await server.advance(2);
  await cloudtrail.stopLogging({ Name: "main" });
  await sns.createTopic({ Name: "unseen" });
  await server.advance(2);
  const digests = () => filesOf(server, "main").filter((file) => file.includes("Digest"));
  assert.equal(digests().length, 1);
  assert.deepEqual(
    (await recordsOf(server, "main")).map(({ eventName }) => eventName),
    ["CreateTopic", "StopLogging"],
  );
  await server.advance(7200);
  assert.equal(digests().length, 1);
  await cloudtrail.startLogging({ Name: "main" });
  await server.advance(3700);
  assert.equal(digests().length, 2);
  const newest = join(server.dataFolder, "trails", "main", digests().at(-1) ?? "");
  const digest = JSON.parse((await cat(server, [newest])).out);
  assert.deepEqual(
    [digest.previousDigestSignature, digest.previousDigestHashValue, digest.previousDigestS3Object],
    [null, null, null],
  );
  assert.deepEqual([digest.newestEventTime, digest.logFiles], [null, []]);
  assert.match((await verify(server)).out, /2\/2 digest files valid/);
});

test("a deleted trail's files still go out, and one of its name goes on beside them", async (context) => {
  const server = await serverFor(context);
  const { cloudtrail, sns } = server.rootClients;
  await startTrail(server);
  await sns.createTopic({ Name: "before" });
  await server.advance(2);
  await cloudtrail.deleteTrail({ Name: "main" });
  await server.advance(2);
  assert.deepEqual(
    (await recordsOf(server, "main")).map(({ eventName }) => eventName),
    ["CreateTopic", "DeleteTrail"],
  );
  assert.equal(filesOf(server, "main").filter((file) => file.includes("Digest")).length, 1);
  await startTrail(server);
  await sns.createTopic({ Name: "after" });
  await server.advance(3700);
  const { code, out } = await verify(server);
  assert.equal(code, 0, out);
  assert.match(out, /2\/2 digest files valid/);
  assert.match(out, /2\/2 log files valid/);
});

test("digests can be switched on and off; files without one are not called bad", async (context) => {
  const server = await serverFor(context);
  const { cloudtrail, sns } = server.rootClients;
  await startTrail(server, { EnableLogFileValidation: false });
  await sns.createTopic({ Name: "one" });
  await server.advance(900);
  await cloudtrail.updateTrail({ Name: "main", EnableLogFileValidation: true });
  await server.advance(900);
  await sns.createTopic({ Name: "two" });
  await server.advance(4000);
  const { code, out } = await verify(server);
  assert.equal(code, 0, out);
  assert.match(out, /1\/1 digest files valid/);
  assert.match(out, /1 log files are in no valid digest/);
});

test("a trail's KMS key: needs its permission, seals with the trail as context", async (context) => {
  const server = await serverFor(context);
  const { cloudtrail, kms, sns } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const { KeyId = "", Arn = "" } = KeyMetadata ?? {};
  const given = { Name: "main", S3BucketName: "audit-bucket", KmsKeyId: KeyId };
  await assert.rejects(cloudtrail.createTrail(given), {
    name: "InsufficientEncryptionPolicyException",
  });
  const policy = (await kms.getKeyPolicy({ KeyId })).Policy ?? "";
  const document = JSON.parse(policy);
  document.Statement.push({
    Effect: "Allow",
    Principal: { Service: "cloudtrail.amazonaws.com" },
    Action: ["kms:GenerateDataKey*", "kms:DescribeKey"],
    Resource: "*",
    Condition: {
      StringEquals: { "aws:SourceArn": `arn:aws:cloudtrail:us-east-1:${account}:trail/main` },
      StringLike: {
        "kms:EncryptionContext:aws:cloudtrail:arn": `arn:aws:cloudtrail:*:${account}:trail/*`,
      },
    },
  });
  await kms.putKeyPolicy({ KeyId, Policy: JSON.stringify(document) });
  await startTrail(server, { KmsKeyId: KeyId });
  assert.equal((await cloudtrail.getTrail({ Name: "main" })).Trail?.KmsKeyId, Arn);
  await sns.createTopic({ Name: "sealed" });
  await server.advance(302);
  const [file = ""] = filesOf(server, "main");
  const path = join(server.dataFolder, "trails", "main", file);
  const head = readHead(readFileSync(path));
  assert.deepEqual([head?.mode, head?.keyArn], ["kms", Arn]);
  assert.match((await cat(server, [path])).out, /"eventName":"CreateTopic"/);
  const { Events = [] } = await cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "GenerateDataKey" }],
  });
  const record = JSON.parse(Events[0]?.CloudTrailEvent ?? "");
  assert.deepEqual(record.userIdentity, {
    type: "AWSService",
    invokedBy: "cloudtrail.amazonaws.com",
  });
  assert.deepEqual(record.requestParameters.encryptionContext, {
    "aws:cloudtrail:arn": `arn:aws:cloudtrail:us-east-1:${account}:trail/main`,
  });
  await kms.disableKey({ KeyId });
  assert.match((await cat(server, [path])).err, /does not open/);
  await server.advance(302);
  const status = await cloudtrail.getTrailStatus({ Name: "main" });
  assert.equal(status.LatestDeliveryError, "DisabledException");
  assert.equal((await verify(server)).code, 0);
  await kms.enableKey({ KeyId });
  await server.advance(302);
  assert.ok((await recordsOf(server, "main")).some(({ eventName }) => eventName === "DisableKey"));
});

test("the trail's topic is told of each file", async (context) => {
  const server = await serverFor(context);
  const { sns, sqs } = server.rootClients;
  const TopicArn = (await sns.createTopic({ Name: "files" })).TopicArn ?? "";
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "files" });
  const queueArn = `arn:aws:sqs:us-east-1:${account}:files`;
  const allow = (Service: string, Action: string, Resource: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: { Service }, Action, Resource },
    });
  await sqs.setQueueAttributes({
    QueueUrl,
    Attributes: { Policy: allow("sns.amazonaws.com", "sqs:SendMessage", queueArn) },
  });
  await sns.subscribe({
    TopicArn,
    Protocol: "sqs",
    Endpoint: queueArn,
    Attributes: { RawMessageDelivery: "true" },
  });
  const setPolicy = (AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue });
  const create = { Name: "main", S3BucketName: "audit-bucket", SnsTopicName: "files" };
  const refused = () =>
    assert.rejects(server.rootClients.cloudtrail.createTrail(create), {
      name: "InsufficientSnsTopicPolicyException",
    });
  // AWS: the default policy is not enough.
  await refused();
  await setPolicy(allow("events.amazonaws.com", "sns:Publish", TopicArn));
  await refused();
  await setPolicy(allow("cloudtrail.amazonaws.com", "sns:Publish", TopicArn));
  await startTrail(server, { SnsTopicName: "files" });
  await sns.createTopic({ Name: "t" });
  await server.advance(400);
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl });
  const [file] = filesOf(server, "main");
  assert.deepEqual(JSON.parse(Messages[0]?.Body ?? ""), {
    s3Bucket: "audit-bucket",
    s3ObjectKey: [file],
  });
});

test("a multi-region trail delivers each region's events in its folder", async (context) => {
  const server = await serverFor(context);
  await startTrail(server, { IsMultiRegionTrail: true });
  const west = server.clients(server.root, { region: "eu-west-1" });
  await west.sns.createTopic({ Name: "west" });
  await server.rootClients.iam.createUser({ UserName: "global" });
  await server.advance(4000);
  const files = filesOf(server, "main");
  for (const region of ["us-east-1", "eu-west-1"]) {
    assert.equal(files.filter((file) => file.includes(`/CloudTrail/${region}/`)).length, 1);
    assert.ok(files.some((file) => file.includes(`/CloudTrail-Digest/${region}/`)));
  }
  assert.equal((await verify(server)).code, 0);
});

test("a restart writes the file that was begun, under its name", async (context) => {
  const s3 = await startFakeS3(["audit-bucket"]);
  context.after(() => s3.close());
  const server = await startTestServer({
    flags: { logLevel: "error", trailEndpoint: s3.url, deliveryAllow: ["127.0.0.0/8"] },
    environment: {
      SEALPOST_TRAIL_ACCESS_KEY_ID: s3Credentials.accessKeyId,
      SEALPOST_TRAIL_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
    },
  });
  await startTrail(server);
  await server.rootClients.sns.createTopic({ Name: "t" });
  s3.failPuts = 503;
  await server.advance(400);
  const again = await server.restart();
  context.after(() => again.stop());
  s3.failPuts = undefined;
  await again.advance(400);
  const puts = s3.requests.filter((request) => request.startsWith("PUT"));
  const tried = new Set(puts.filter((put) => put.includes("/CloudTrail/")));
  assert.ok(puts.length > tried.size);
  assert.equal(
    [...s3.objects.keys()].filter((key) => key.includes("/CloudTrail/")).length,
    tried.size,
  );
  assert.equal((await verify(again)).code, 0);
});

test("events that are changed while they wait are noticed", async (context) => {
  const server = await serverFor(context);
  await startTrail(server);
  for (const Name of ["a", "b", "c"]) await server.rootClients.sns.createTopic({ Name });
  const again = await server.restart((folder) => {
    const database = new DatabaseSync(join(folder, "sealpost.db"));
    database.exec(
      `UPDATE trail_batches SET records =
        cast(replace(cast(records AS TEXT), 'CreateTopic', 'Nothing') AS BLOB) WHERE number = 2`,
    );
    // What nobody packed does not open: the others are delivered without it.
    database.exec("UPDATE trail_batches SET records = CAST('[1' AS BLOB) WHERE number = 3");
    database.close();
  });
  context.after(() => again.stop());
  await again.advance(400);
  const { code, out } = await verify(again);
  assert.equal(code, 1);
  assert.match(out, /Waiting batch 2\t.*trail\/main\tINVALID/);
  assert.match(out, /Waiting batch 3\t.*trail\/main\tINVALID/);
  const delivered = (await recordsOf(again, "main")).map(({ eventName }) => eventName);
  assert.deepEqual(delivered, ["CreateTopic", "Nothing"]);
});

test("plain trails are gzip; a trail with a key stays sealed", async (context) => {
  const server = await serverFor(context, { plainTrails: true });
  await startTrail(server);
  await server.rootClients.sns.createTopic({ Name: "t" });
  await server.advance(400);
  const path = join(server.dataFolder, "trails", "main", filesOf(server, "main")[0] ?? "");
  assert.deepEqual([...readFileSync(path).subarray(0, 2)], [0x1f, 0x8b]);
  const copy = join(server.dataFolder, "copy.json.gz");
  writeFileSync(copy, readFileSync(path));
  assert.match((await cat(server, [copy])).out, /CreateTopic/);
});
