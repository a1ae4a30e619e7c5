import { createClients, type DemoClients, type DemoTarget, refusalOf } from "./clients.ts";
import {
  administratorPolicy,
  consumerPolicy,
  keyPolicy,
  publisherPolicy,
  queuePolicy,
} from "./policies.ts";
import type { Story } from "./story.ts";

/** What the clinic has once it is set up. */
export interface Clinic {
  readonly accountId: string;
  readonly keyArn: string;
  readonly topicArn: string;
  readonly administrator: DemoClients;
  readonly publisher: DemoClients;
  readonly queues: readonly ClinicQueue[];
}

export interface ClinicQueue {
  readonly name: string;
  readonly url: string;
  readonly consumer: DemoClients;
}

const systems = ["Billing", "Scheduling", "Prescription"] as const;
const useOfKey = ["kms:GenerateDataKey*", "kms:Decrypt"];

export const workingKeyPolicy = (accountId: string) =>
  keyPolicy({ accountId, userActions: useOfKey, admitsSns: true });
export const keyPolicyWithoutGenerate = (accountId: string) =>
  keyPolicy({ accountId, userActions: ["kms:Decrypt"], admitsSns: true });
export const keyPolicyWithoutSns = (accountId: string) =>
  keyPolicy({ accountId, userActions: useOfKey, admitsSns: false });

/** Users, key, topic, queues and subscriptions, all with real clients. */
export async function setUpClinic(
  story: Story,
  target: DemoTarget,
  root: DemoClients,
): Promise<Clinic> {
  story.chapter("The clinic's people");
  const accountId = await accountOf(root);
  const administrator = await createPerson(target, root, "EMRAdmin", administratorPolicy);
  const publisher = await createPerson(target, root, "EMRUser", undefined);
  story.say("EMRAdmin may make keys, topics and queues. EMRUser may do nothing yet.");

  story.chapter("A key whose policy says who may use it");
  const key = await administrator.kms.createKey({
    Description: "Electronic medical records",
    Policy: workingKeyPolicy(accountId),
  });
  const keyArn = key.KeyMetadata?.Arn ?? "";
  await administrator.kms.createAlias({
    AliasName: "alias/EMRKey",
    TargetKeyId: key.KeyMetadata?.KeyId,
  });
  story.say("EMRAdmin creates EMRKey. Its policy admits EMRUser and sns.amazonaws.com.");
  story.shows(keyArn);

  story.chapter("An encrypted topic and three encrypted queues");
  const aliasArn = keyArn.replace(/:key\/.*/, ":alias/EMRKey");
  const topicArn = await createTopic(administrator, aliasArn);
  const queues: ClinicQueue[] = [];
  for (const system of systems) {
    queues.push(await createQueue(target, root, administrator, system, aliasArn, keyArn, topicArn));
  }
  story.say("Topic and queues name the key by its alias in `KmsMasterKeyId`.");
  story.shows([topicArn, ...queues.map(({ url }) => url)].join("\n"));
  await letPublish(story, root, topicArn);
  return { accountId, keyArn, topicArn, administrator, publisher, queues };
}

async function accountOf(root: DemoClients): Promise<string> {
  const { User } = await root.iam.getUser({});
  return User?.Arn?.split(":")[4] ?? "";
}

async function createPerson(
  target: DemoTarget,
  root: DemoClients,
  userName: string,
  policy: string | undefined,
): Promise<DemoClients> {
  await root.iam.createUser({ UserName: userName });
  if (policy) {
    await root.iam.putUserPolicy({
      UserName: userName,
      PolicyName: "clinic",
      PolicyDocument: policy,
    });
  }
  const { AccessKey } = await root.iam.createAccessKey({ UserName: userName });
  return createClients(target, {
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  });
}

async function createTopic(administrator: DemoClients, key: string): Promise<string> {
  const { TopicArn = "" } = await administrator.sns.createTopic({
    Name: "Patient-Records",
    Attributes: { KmsMasterKeyId: key },
  });
  return TopicArn;
}

/** Queue, subscription and queue policy as the SDK's `subscribeQueue` helper makes them. */
async function createQueue(
  target: DemoTarget,
  root: DemoClients,
  administrator: DemoClients,
  system: string,
  key: string,
  keyArn: string,
  topicArn: string,
): Promise<ClinicQueue> {
  const name = `${system}-Integration`;
  const { sqs, sns } = administrator;
  const { QueueUrl: url = "" } = await sqs.createQueue({
    QueueName: name,
    Attributes: { KmsMasterKeyId: key },
  });
  const { Attributes } = await sqs.getQueueAttributes({
    QueueUrl: url,
    AttributeNames: ["QueueArn"],
  });
  const queueArn = Attributes?.QueueArn ?? "";
  await sqs.setQueueAttributes({
    QueueUrl: url,
    Attributes: { Policy: queuePolicy(queueArn, topicArn) },
  });
  await sns.subscribe({
    TopicArn: topicArn,
    Protocol: "sqs",
    Endpoint: queueArn,
    Attributes: { RawMessageDelivery: "true" },
  });
  const policy = consumerPolicy(queueArn, keyArn);
  return { name, url, consumer: await createPerson(target, root, `${system}System`, policy) };
}

/** The article's own slip: a blank before the ARN. It is refused by name, not silently useless. */
async function letPublish(story: Story, root: DemoClients, topicArn: string): Promise<void> {
  const give = (resource: string) =>
    root.iam.putUserPolicy({
      UserName: "EMRUser",
      PolicyName: "publish",
      PolicyDocument: publisherPolicy(resource),
    });
  story.say("EMRUser gets sns:Publish. First with the blank that the article prints by mistake:");
  const refused = await refusalOf(give(` ${topicArn}`));
  story.shows(`${refused?.name}: ${refused?.message}`);
  story.proves("a policy that could never match is refused, and says where", !!refused);
  await give(topicArn);
}

/** Receives and deletes what a system's queue holds. */
export async function receiveAll(queue: ClinicQueue): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await queue.consumer.sqs.receiveMessage({
      QueueUrl: queue.url,
      MaxNumberOfMessages: 10,
    });
    if (Messages.length === 0) return bodies;
    for (const message of Messages) {
      bodies.push(message.Body ?? "");
      await queue.consumer.sqs.deleteMessage({
        QueueUrl: queue.url,
        ReceiptHandle: message.ReceiptHandle,
      });
    }
  }
}
