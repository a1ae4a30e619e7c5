// Goal: a service outside calls as its service principal, is judged by topic, queue and key
// policies as AWS would judge it, and may do nothing else.
// Method: one server; credentials made by the command line, used with the SDK.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { sealpost, sealpostJson } from "./accounts-scene.ts";
import { allow, policy } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const bucket = "arn:aws:s3:::scans";
const account = "111122223333";

async function credential(...more: readonly string[]) {
  const argv = ["service-credential", "create", "s3.amazonaws.com", ...more];
  const { service, accessKeyId = "", secretAccessKey = "" } = await sealpostJson(server, ...argv);
  equal(service, "s3.amazonaws.com");
  return { accessKeyId, clients: server.clients({ accessKeyId, secretAccessKey }) };
}

test("S3 publishes to an encrypted topic, where topic and key policy let it in", async () => {
  const { sns, kms, sqs } = server.rootClients;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { TopicArn = "" } = await sns.createTopic({
    Name: "scans",
    Attributes: { KmsMasterKeyId: KeyId },
  });
  const { clients, accessKeyId } = await credential(
    "--source-account",
    account,
    "--source-arn",
    bucket,
  );
  const publish = () => clients.sns.publish({ TopicArn, Message: "new scan" });
  const first = await refusal(publish());
  match(
    first?.message ?? "",
    /^User: s3\.amazonaws\.com is not authorized to perform: SNS:Publish/,
  );
  const S3 = { Service: "s3.amazonaws.com" };
  const ofBucket = (arn: string) => ({
    ...allow("sns:Publish", TopicArn),
    Principal: S3,
    Condition: {
      ArnLike: { "aws:SourceArn": arn },
      StringEquals: { "aws:SourceAccount": account },
    },
  });
  const setPolicy = (statement: object) =>
    sns.setTopicAttributes({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: policy(statement),
    });
  await setPolicy(ofBucket("arn:aws:s3:::other"));
  equal((await refusal(publish()))?.name, "AuthorizationErrorException");
  await setPolicy(ofBucket(bucket));
  const key = await refusal(publish());
  equal(key?.name, "KMSAccessDeniedException");
  const rootOnly = {
    ...allow("kms:*"),
    Principal: { AWS: `arn:aws:iam::${server.accountId}:root` },
  };
  const forS3 = {
    ...allow(["kms:GenerateDataKey*", "kms:Decrypt"]),
    Principal: S3,
    Condition: { StringEquals: { "aws:SourceAccount": account } },
  };
  const Policy = policy(rootOnly, forS3);
  await kms.putKeyPolicy({ KeyId, PolicyName: "default", Policy });
  await publish();
  const used = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "GenerateDataKey" }],
  });
  const { userIdentity } = JSON.parse(used.Events?.[0]?.CloudTrailEvent ?? "{}");
  equal(userIdentity.invokedBy, "s3.amazonaws.com");

  const direct = await refusal(
    clients.kms.generateDataKey({ KeyId: KeyMetadata?.Arn, KeySpec: "AES_256" }),
  );
  equal(direct?.name, "AccessDeniedException", "the key behind the topic, never the key itself");
  for (const call of [
    () => clients.sns.listTopics({}),
    () => clients.sqs.listQueues({}),
    () => clients.iam.listUsers({}),
    () =>
      clients.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: "arn:aws:sqs:us-east-1:1:q" }),
  ]) {
    match((await refusal(call()))?.message ?? "", /may only publish and send/);
  }
  await sqs.listQueues({});
  await sealpostJson(server, "service-credential", "revoke", accessKeyId);
  equal((await refusal(publish()))?.name, "InvalidClientTokenId");
});

test("without a source ARN the key is absent, and a warning says so", async () => {
  const { sns } = server.rootClients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "loose" });
  const made = await sealpost(server, ["service-credential", "create", "s3.amazonaws.com"]);
  match(made.err, /^warning: no --source-arn/);
  const { clients } = await credential();
  const named = {
    ...allow("sns:Publish", TopicArn),
    Principal: { Service: "s3.amazonaws.com" },
    Condition: { ArnLike: { "aws:SourceArn": "arn:aws:s3:::*" } },
  };
  const { Condition: _, ...anybody } = named;
  const set = (statement: object) =>
    sns.setTopicAttributes({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: policy(statement),
    });
  await set(named);
  const denied = await refusal(clients.sns.publish({ TopicArn, Message: "m" }));
  equal(denied?.name, "AuthorizationErrorException");
  await set(anybody);
  await clients.sns.publish({ TopicArn, Message: "m" });
});

test("who gets no credential: the server's own services, and those that need a role", async () => {
  const create = (service: string, ...more: string[]) =>
    sealpost(server, ["service-credential", "create", service, ...more]);
  for (const name of ["sns", "sqs", "kms", "cloudtrail", "sns.us-east-1"]) {
    const own = await create(`${name}.amazonaws.com`);
    deepEqual(
      [own.code, own.err],
      [1, `sealpost: only the server itself is ${name}.amazonaws.com\n`],
    );
  }
  for (const name of [
    "autoscaling",
    "codepipeline",
    "config",
    "elasticbeanstalk",
    "iot",
    "elastictranscoder",
  ]) {
    const role = await create(`${name}.amazonaws.com`);
    equal(role.code, 1);
    match(role.err, /publishes with an IAM role/);
  }
  equal((await create("evil.example.com")).code, 1);
  const arn = "arn:aws:events:us-east-1:111122223333:rule/x";
  const clash = await create(
    "events.amazonaws.com",
    "--source-account",
    "444455556666",
    "--source-arn",
    arn,
  );
  match(clash.err, /is of account 111122223333, --source-account says 444455556666/);
});

test("a credential ends at its time, and is rotated with or without an overlap", async () => {
  const { sns } = server.rootClients;
  const { TopicArn = "" } = await sns.createTopic({ Name: "timed" });
  const statement = {
    ...allow("sns:Publish", TopicArn),
    Principal: { Service: "s3.amazonaws.com" },
  };
  const AttributeValue = policy(statement);
  await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue });
  const one = await credential("--expires", "90d");
  const { serviceCredentials } = (await sealpostJson(
    server,
    "service-credential",
    "list",
  )) as never as {
    serviceCredentials: { accessKeyId: string; expiresAt: string; sourceAccountId: string }[];
  };
  const listed = serviceCredentials.find(({ accessKeyId }) => accessKeyId === one.accessKeyId);
  const days = (Date.parse(listed?.expiresAt ?? "") - Date.now()) / 86_400_000;
  equal(Math.round(days), 90);
  equal(listed?.sourceAccountId, server.accountId);
  const publish = (clients: typeof one.clients) => clients.sns.publish({ TopicArn, Message: "m" });
  await publish(one.clients);
  const rotate = async (...more: string[]) => {
    const made = await sealpostJson(server, "service-credential", "rotate", ...more);
    const { accessKeyId = "", secretAccessKey = "" } = made;
    return { accessKeyId, clients: server.clients({ accessKeyId, secretAccessKey }) };
  };
  const two = await rotate(one.accessKeyId, "--keep", "1h");
  await publish(one.clients);
  await publish(two.clients);
  const three = await rotate(two.accessKeyId);
  equal((await refusal(publish(two.clients)))?.name, "InvalidClientTokenId");
  await publish(three.clients);
  const unknown = await sealpost(server, ["service-credential", "revoke", "AKIAUNKNOWN"]);
  deepEqual(
    [unknown.code, unknown.err],
    [1, "sealpost: there is no service credential AKIAUNKNOWN\n"],
  );
});
