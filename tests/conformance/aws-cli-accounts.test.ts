// Goal: two everyday set-ups work when they are made and used with the AWS command line: a topic
// that may send to a queue by aws:SourceArn, and a publisher of another account on an encrypted
// topic with that account's key. Each fails without the one statement that allows it.
// Method: the real `aws`, where it is installed, against a server; skipped elsewhere.
import { equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { aws, awsRefusal, skipWithoutAws } from "../harness/aws-cli.ts";
import { startTestServer, type TestCredentials, type TestServer } from "../harness/server.ts";
import { makeAccount } from "./accounts-scene.ts";
import { allow, policy } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const skip = skipWithoutAws;

async function json(who: TestCredentials, ...args: readonly string[]) {
  return JSON.parse((await aws(server, who, ...args)) || "{}");
}

function queueArn(name: string): string {
  return `arn:aws:sqs:${server.region}:${server.accountId}:${name}`;
}

async function setQueuePolicy(url: string, statement: object): Promise<void> {
  const attributes = JSON.stringify({ Policy: policy(statement) });
  const set = ["sqs", "set-queue-attributes", "--queue-url", url, "--attributes", attributes];
  await aws(server, server.root, ...set);
}

/** The body of the message that waits in a queue; undefined: none does. */
async function received(url: string): Promise<string | undefined> {
  const { Messages = [] } = await json(
    server.root,
    ...["sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "1"],
  );
  return Messages[0] && JSON.parse(Messages[0].Body).Message;
}

test("aws:SourceArn: the named topic reaches the queue, another one does not", {
  skip,
}, async () => {
  const { root } = server;
  const { TopicArn } = await json(root, "sns", "create-topic", "--name", "named");
  const other = await json(root, "sns", "create-topic", "--name", "other");
  const { QueueUrl } = await json(root, "sqs", "create-queue", "--queue-name", "inbox");
  await setQueuePolicy(QueueUrl, {
    ...allow("sqs:SendMessage", queueArn("inbox")),
    Principal: { Service: "sns.amazonaws.com" },
    Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
  });
  for (const arn of [TopicArn, other.TopicArn]) {
    const to = ["--protocol", "sqs", "--notification-endpoint", queueArn("inbox")];
    await aws(server, root, "sns", "subscribe", "--topic-arn", arn, ...to);
  }
  const publish = (arn: string, text: string) =>
    aws(server, root, "sns", "publish", "--topic-arn", arn, "--message", text);
  await publish(other.TopicArn, "from the other");
  await publish(TopicArn, "from the named");
  equal(await received(QueueUrl), "from the named");
  equal(await received(QueueUrl), undefined);
});

test("another account publishes to an encrypted topic with its own key", { skip }, async () => {
  const clinic = await makeAccount(server, "clinic");
  const { Key, AccessKey, User } = {
    Key: (await json(clinic, "kms", "create-key")).KeyMetadata,
    User: (await json(clinic, "iam", "create-user", "--user-name", "emr")).User,
    AccessKey: (await json(clinic, "iam", "create-access-key", "--user-name", "emr")).AccessKey,
  };
  const emr = {
    accessKeyId: AccessKey.AccessKeyId,
    secretAccessKey: AccessKey.SecretAccessKey,
  };
  const { root } = server;
  const { TopicArn } = await json(
    root,
    ...["sns", "create-topic", "--name", "records"],
    ...["--attributes", JSON.stringify({ KmsMasterKeyId: Key.Arn })],
  );
  const { QueueUrl } = await json(root, "sqs", "create-queue", "--queue-name", "records");
  await setQueuePolicy(QueueUrl, {
    ...allow("sqs:SendMessage", queueArn("records")),
    Principal: { Service: "sns.amazonaws.com" },
    Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
  });
  const to = ["--protocol", "sqs", "--notification-endpoint", queueArn("records")];
  await aws(server, root, "sns", "subscribe", "--topic-arn", TopicArn, ...to);
  const putUserPolicy = (...statements: readonly object[]) =>
    aws(
      server,
      clinic,
      ...["iam", "put-user-policy", "--user-name", "emr", "--policy-name", "p"],
      ...["--policy-document", policy(...statements)],
    );
  const publishing = allow("sns:Publish", TopicArn);
  await putUserPolicy(publishing);
  const publish = () =>
    aws(server, emr, "sns", "publish", "--topic-arn", TopicArn, "--message", "patient 7");
  const byTopic = await awsRefusal(publish());
  match(byTopic, /AuthorizationError.*no resource-based policy allows the SNS:Publish action/);
  const topicPolicy = policy({ ...publishing, Principal: { AWS: User.Arn } });
  await aws(
    server,
    root,
    ...["sns", "set-topic-attributes", "--topic-arn", TopicArn],
    ...["--attribute-name", "Policy", "--attribute-value", topicPolicy],
  );
  match(await awsRefusal(publish()), /KMSAccessDenied.*kms:GenerateDataKey/);
  await putUserPolicy(publishing, allow(["kms:GenerateDataKey*", "kms:Decrypt"], Key.Arn));
  await publish();
  equal(await received(QueueUrl), "patient 7");
});
