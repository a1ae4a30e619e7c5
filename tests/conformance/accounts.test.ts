// Goal: several accounts in one server are wholly separate, and meet by policy only, as in AWS;
// root credentials can be replaced and taken away.
// Method: one server; accounts made by the command line, everything else by the SDK; each policy
// with the twin that shows what fails without it.
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { makeAccount, sealpost, sealpostJson, type TestAccount } from "./accounts-scene.ts";
import { allow, assume, makeRole, policy, trusts } from "./sts-scene.ts";

let server: TestServer;
let clinic: TestAccount;
before(async () => {
  server = await startTestServer();
  clinic = await makeAccount(server, "clinic");
});
after(() => server.stop());

test("accounts are separate: names, listings, administration", async () => {
  match(clinic.accountId, /^[1-9]\d{11}$/);
  const who = await clinic.clients.sts.getCallerIdentity({});
  equal(who.Arn, `arn:aws:iam::${clinic.accountId}:root`);
  await server.rootClients.sqs.createQueue({ QueueName: "orders" });
  equal((await clinic.clients.sqs.listQueues({})).QueueUrls, undefined);
  const { QueueUrl } = await clinic.clients.sqs.createQueue({ QueueName: "orders" });
  match(QueueUrl ?? "", new RegExp(`/${clinic.accountId}/orders$`));
  await server.createUser("anna");
  deepEqual((await clinic.clients.iam.listUsers({})).Users, []);
  const admin = await server.send({
    service: "sealpost",
    path: "/_sealpost/accounts",
    method: "GET",
    accessKeyId: clinic.accessKeyId,
    secretAccessKey: clinic.secretAccessKey,
  });
  equal(admin.status, 403);
  match(admin.body, /for principals of the operator account/);
  const { accounts } = (await sealpostJson(server, "account", "list")) as never as {
    accounts: { name: string; operator: boolean }[];
  };
  deepEqual(accounts.map(({ name }) => name).sort(), ["clinic", "operator"]);
  const again = await sealpost(server, ["account", "create", "Clinic"]);
  deepEqual([again.code, again.err], [1, "sealpost: there is an account named Clinic already\n"]);
});

test("an encrypted topic of one account with the key of another, published to across both", async () => {
  const { iam, kms } = clinic.clients;
  await iam.createUser({ UserName: "emr" });
  const { AccessKey } = await iam.createAccessKey({ UserName: "emr" });
  const emr = server.clients({
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  });
  const emrArn = `arn:aws:iam::${clinic.accountId}:user/emr`;
  const { KeyMetadata } = await kms.createKey({});
  const KeyId = KeyMetadata?.Arn ?? "";
  const root = server.rootClients;
  const { TopicArn = "" } = await root.sns.createTopic({
    Name: "records",
    Attributes: { KmsMasterKeyId: KeyId },
  });
  const { QueueUrl = "" } = await root.sqs.createQueue({ QueueName: "records" });
  const queue = `arn:aws:sqs:us-east-1:${server.accountId}:records`;
  await root.sqs.setQueueAttributes({
    QueueUrl,
    Attributes: {
      Policy: policy({
        ...allow("sqs:SendMessage", queue),
        Principal: { Service: "sns.amazonaws.com" },
        Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
      }),
    },
  });
  await root.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint: queue });
  const publish = () => emr.sns.publish({ TopicArn, Message: "patient 7" });

  const identity = await refusal(publish());
  equal(identity?.name, "AuthorizationErrorException");
  match(identity?.message ?? "", /because no resource-based policy allows the SNS:Publish action/);
  await root.sns.setTopicAttributes({
    TopicArn,
    AttributeName: "Policy",
    AttributeValue: policy({ ...allow("sns:Publish", TopicArn), Principal: { AWS: emrArn } }),
  });
  const own = await refusal(publish());
  match(own?.message ?? "", /because no identity-based policy allows the SNS:Publish action/);
  const put = (statements: readonly object[]) =>
    iam.putUserPolicy({
      UserName: "emr",
      PolicyName: "p",
      PolicyDocument: policy(...statements),
    });
  await put([allow("sns:Publish", TopicArn)]);
  equal((await refusal(publish()))?.name, "KMSAccessDeniedException");
  await put([
    allow("sns:Publish", TopicArn),
    allow(["kms:GenerateDataKey*", "kms:Decrypt"], KeyId),
  ]);
  await publish();
  const { Messages = [] } = await root.sqs.receiveMessage({ QueueUrl });
  equal(JSON.parse(Messages[0]?.Body ?? "{}").Message, "patient 7");

  // The other way round: a publisher of the topic's own account needs the key owner's leave.
  const nurse = await server.createUser("nurse", JSON.parse(policy(allow("*"))));
  const withoutKey = await refusal(nurse.clients.sns.publish({ TopicArn, Message: "x" }));
  equal(withoutKey?.name, "KMSAccessDeniedException");
  const delegating = [
    { ...allow("kms:*"), Principal: { AWS: `arn:aws:iam::${clinic.accountId}:root` } },
    {
      ...allow(["kms:GenerateDataKey*", "kms:Decrypt"]),
      Principal: { AWS: `arn:aws:iam::${server.accountId}:root` },
    },
  ];
  await kms.putKeyPolicy({ KeyId, PolicyName: "default", Policy: policy(...delegating) });
  await nurse.clients.sns.publish({ TopicArn, Message: "x" });
});

test("a role is assumed across accounts, where both sides allow it", async () => {
  const user = await server.createUser("bert");
  const RoleArn = await makeRole(
    clinic.clients,
    "visitor",
    [trusts({ AWS: user.arn })],
    [allow("sqs:ListQueues")],
  );
  const alone = await refusal(assume(server, user.clients.sts, { RoleArn }));
  match(alone?.message ?? "", /because no identity-based policy allows/);
  const PolicyDocument = policy(allow("sts:AssumeRole", RoleArn));
  await server.rootClients.iam.putUserPolicy({ UserName: "bert", PolicyName: "p", PolicyDocument });
  const session = await assume(server, user.clients.sts, { RoleArn });
  const { QueueUrls = [] } = await session.sqs.listQueues({});
  match(
    QueueUrls[0] ?? "",
    new RegExp(`/${clinic.accountId}/orders$`),
    "queues of the role's account",
  );
});

test("an account that is not opted in cannot use KMS", async () => {
  const { kms, sns } = clinic.clients;
  const { KeyMetadata } = await kms.createKey({});
  const Attributes = { KmsMasterKeyId: KeyMetadata?.KeyId ?? "" };
  const { TopicArn } = await sns.createTopic({ Name: "sealed", Attributes });
  await sealpostJson(server, "account", "kms-opt-in", clinic.accountId, "off");
  equal((await refusal(kms.listKeys({})))?.name, "OptInRequired");
  equal((await refusal(sns.publish({ TopicArn, Message: "m" })))?.name, "KMSOptInRequired");
  await server.rootClients.kms.listKeys({});
  await sealpostJson(server, "account", "kms-opt-in", clinic.accountId, "on");
  await sns.publish({ TopicArn, Message: "m" });
});

test("acts of operators leave records: what was done, by whom, and what was denied", async () => {
  const user = await server.createUser("oscar");
  const body = JSON.stringify({ accountId: clinic.accountId, on: true });
  const path = "/_sealpost/accounts/kms-opt-in";
  const { accessKeyId, secretAccessKey } = user;
  const denied = await server.send({
    service: "sealpost",
    path,
    body,
    accessKeyId,
    secretAccessKey,
  });
  equal(denied.status, 403);
  const { accessKeyId: made = "" } = await sealpostJson(
    server,
    ...["service-credential", "create", "s3.amazonaws.com"],
  );
  const eventsOf = async (AttributeValue: string) => {
    const { Events = [] } = await server.rootClients.cloudtrail.lookupEvents({
      LookupAttributes: [{ AttributeKey: "EventName", AttributeValue }],
    });
    return Events.map(({ CloudTrailEvent = "{}" }) => JSON.parse(CloudTrailEvent));
  };
  const [refused] = await eventsOf("SetKmsOptIn");
  deepEqual([refused.userIdentity.userName, refused.errorCode], ["oscar", "AccessDenied"]);
  const [done] = await eventsOf("CreateServiceCredential");
  deepEqual(
    [done.eventSource, done.userIdentity.type, done.requestParameters],
    ["sealpost", "Root", { service: "s3.amazonaws.com" }],
  );
  equal(JSON.stringify(done).includes(made), false, "answers are not kept: they hold secrets");
});

test("root credentials are replaced, taken away, and come back by an IAM user", async () => {
  const old = server.rootClients;
  const { Credentials } = await old.sts.getSessionToken({});
  const session = server.clients({
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
  });
  await session.sts.getCallerIdentity({});
  await server.advance(1);
  const made = await sealpostJson(server, "root-credentials", "rotate");
  const { accessKeyId = "", secretAccessKey = "" } = made;
  deepEqual(readCredentialsFile(server.dataFolder), { accessKeyId, secretAccessKey });
  for (const before of [old, session]) {
    const denied = await refusal(before.sts.getCallerIdentity({}));
    equal(denied?.name, "InvalidClientTokenId");
  }
  const root = server.clients({ accessKeyId, secretAccessKey });
  await root.iam.createUser({ UserName: "operator" });
  for (const user of (await root.iam.listUsers({})).Users ?? []) {
    const keys = await root.iam.listAccessKeys({ UserName: user.UserName });
    for (const { AccessKeyId } of keys.AccessKeyMetadata ?? []) {
      await root.iam.deleteAccessKey({ UserName: user.UserName, AccessKeyId });
    }
  }
  const early = await sealpost(server, ["root-credentials", "disable"]);
  equal(early.code, 1);
  match(early.err, /no IAM user of the account has an active access key/);
  const UserName = "operator";
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await root.iam.attachUserPolicy({ UserName, PolicyArn });
  const { AccessKey } = await root.iam.createAccessKey({ UserName });
  await sealpostJson(server, "root-credentials", "disable");
  equal(existsSync(join(server.dataFolder, "credentials")), false);
  equal((await refusal(root.sts.getCallerIdentity({})))?.name, "InvalidClientTokenId");
  const nobody = await sealpost(server, ["account", "list"]);
  equal(nobody.code, 1);
  const asOperator = {
    AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey ?? "",
  };
  const back = await sealpost(server, ["root-credentials", "rotate"], asOperator);
  equal(back.code, 0, back.err);
  notEqual(readCredentialsFile(server.dataFolder)?.accessKeyId, accessKeyId);
});
