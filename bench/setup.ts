import { Agent } from "node:https";
import { KMS } from "@aws-sdk/client-kms";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import type { BenchServer } from "./server.ts";

const region = "us-east-1";

/** Resources of one kind of encryption. */
export interface Resources {
  readonly queueUrl: string;
  readonly drainUrl: string;
  readonly topicArn: string;
}

/** A queue to send to, one to drain, and a topic with three queues, with and without SSE-KMS. */
export async function createResources(
  server: BenchServer,
): Promise<{ kms: Resources; plain: Resources }> {
  const settings = {
    endpoint: server.httpsUrl,
    region,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    requestHandler: { httpsAgent: new Agent({ ca: server.ca, keepAlive: true }) },
  };
  const clients = { kms: new KMS(settings), sqs: new SQS(settings), sns: new SNS(settings) };
  const accountId = await accountOf(clients);
  const key = await clients.kms.createKey({ Policy: keyPolicy(accountId) });
  const keyId = key.KeyMetadata?.Arn ?? "";
  return {
    kms: await create(clients, "sealed", { KmsMasterKeyId: keyId }, { KmsMasterKeyId: keyId }),
    plain: await create(clients, "plain", { SqsManagedSseEnabled: "false" }, {}),
  };
}

type Clients = { readonly kms: KMS; readonly sqs: SQS; readonly sns: SNS };

async function accountOf(clients: Clients): Promise<string> {
  const { TopicArn = "" } = await clients.sns.createTopic({ Name: "bench-account" });
  return TopicArn.split(":")[4] ?? "";
}

function keyPolicy(accountId: string): string {
  const all = { Effect: "Allow", Action: "kms:*", Resource: "*" };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { ...all, Principal: { AWS: `arn:aws:iam::${accountId}:root` } },
      { ...all, Principal: { Service: "sns.amazonaws.com" } },
    ],
  });
}

async function create(
  { sqs, sns }: Clients,
  name: string,
  queueAttributes: Record<string, string>,
  topicAttributes: Record<string, string>,
): Promise<Resources> {
  const createQueue = async (suffix: string) => {
    const { QueueUrl = "" } = await sqs.createQueue({
      QueueName: `${name}-${suffix}`,
      Attributes: queueAttributes,
    });
    return QueueUrl;
  };
  const { TopicArn = "" } = await sns.createTopic({ Name: name, Attributes: topicAttributes });
  for (const suffix of ["a", "b", "c"])
    await subscribe(sqs, sns, TopicArn, await createQueue(suffix));
  return {
    queueUrl: await createQueue("send"),
    drainUrl: await createQueue("drain"),
    topicArn: TopicArn,
  };
}

async function subscribe(sqs: SQS, sns: SNS, topicArn: string, url: string): Promise<void> {
  const { Attributes } = await sqs.getQueueAttributes({
    QueueUrl: url,
    AttributeNames: ["QueueArn"],
  });
  const queueArn = Attributes?.QueueArn;
  const policy = {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: queueArn,
      Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
    },
  };
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { Policy: JSON.stringify(policy) } });
  await sns.subscribe({
    TopicArn: topicArn,
    Protocol: "sqs",
    Endpoint: queueArn,
    Attributes: { RawMessageDelivery: "true" },
  });
}
