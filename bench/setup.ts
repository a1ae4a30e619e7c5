import { Agent } from "node:https";
import { KMS } from "@aws-sdk/client-kms";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { ServerAddress } from "./server.ts";

const region = "us-east-1";
const atOnce = 16;

export interface Clients {
  readonly kms: KMS;
  readonly sqs: SQS;
  readonly sns: SNS;
}

/** A topic whose subscriptions are queues. */
export interface Topic {
  readonly arn: string;
  readonly queueUrls: readonly string[];
}

export interface TopicShape {
  readonly queues: number;
  /** Raw delivery; else the notification is enveloped and signed. */
  readonly raw: boolean;
  /** Every queue wants another value of the attribute `kind`, but for the first three. */
  readonly filtered?: boolean;
}

/** Topics that the benchmarks publish to. */
export const topicShapes = {
  one: { queues: 1, raw: true },
  three: { queues: 3, raw: true },
  hundred: { queues: 100, raw: true },
  signedOne: { queues: 1, raw: false },
  signedThree: { queues: 3, raw: false },
  signedDrain: { queues: 1, raw: false },
  filtered: { queues: 10, raw: true, filtered: true },
} as const satisfies Record<string, TopicShape>;

export type TopicName = keyof typeof topicShapes;

/** What messages wear: a KMS key of the customer's, a key of the server's, nothing. */
export type Encryption = "SSE-KMS" | "SSE-SQS" | "no SSE";

/** Resources of one kind of encryption. */
export interface Resources {
  readonly queueUrl: string;
  readonly drainUrl: string;
  /** Three queues, raw. */
  readonly topicArn: string;
  readonly topics: Readonly<Partial<Record<TopicName, Topic>>>;
}

/** Clients of a server, over HTTPS. */
export function clientsOf(server: ServerAddress): Clients {
  const { httpsUrl, ca, accessKeyId, secretAccessKey } = server;
  return clientsAt(httpsUrl, { accessKeyId, secretAccessKey }, ca);
}

export function clientsAt(
  endpoint: string,
  credentials: { accessKeyId: string; secretAccessKey: string },
  ca?: string,
): Clients {
  const httpsAgent = new Agent({ ca, keepAlive: true, maxSockets: atOnce });
  const requestHandler = new NodeHttpHandler(ca ? { httpsAgent } : {});
  const settings = { endpoint, region, credentials, requestHandler };
  return { kms: new KMS(settings), sqs: new SQS(settings), sns: new SNS(settings) };
}

/** A queue to send to, one to drain, and a topic with three queues, with and without SSE-KMS. */
export async function createResources(
  server: ServerAddress,
): Promise<{ kms: Resources; plain: Resources }> {
  const clients = clientsOf(server);
  return {
    kms: await createSome(clients, "SSE-KMS", ["three"]),
    plain: await createSome(clients, "no SSE", ["three"]),
  };
}

/** Two queues and these topics. */
export async function createSome(
  clients: Clients,
  encryption: Encryption,
  topics: readonly TopicName[],
): Promise<Resources> {
  const name = encryption.replace(" ", "-");
  const keyId = encryption === "SSE-KMS" ? await createKey(clients) : undefined;
  const queueAttributes: Record<string, string> = keyId
    ? { KmsMasterKeyId: keyId }
    : { SqsManagedSseEnabled: String(encryption === "SSE-SQS") };
  const topicAttributes: Record<string, string> = keyId ? { KmsMasterKeyId: keyId } : {};
  const queue = async (suffix: string): Promise<string> => {
    const { QueueUrl = "" } = await clients.sqs.createQueue({
      QueueName: `${name}-${suffix}`,
      Attributes: queueAttributes,
    });
    return QueueUrl;
  };
  const made = new Map<TopicName, Topic>();
  for (const topic of topics) {
    const { TopicArn: arn = "" } = await clients.sns.createTopic({
      Name: `${name}-${topic}`,
      Attributes: topicAttributes,
    });
    const queueUrls = await subscribeQueues(clients, arn, topicShapes[topic], queueAttributes);
    made.set(topic, { arn, queueUrls });
  }
  return {
    queueUrl: await queue("send"),
    drainUrl: await queue("drain"),
    topicArn: made.get("three")?.arn ?? "",
    topics: Object.fromEntries(made),
  };
}

/** A key that the account and SNS may use. */
export async function createKey({ kms, sns }: Clients): Promise<string> {
  const { TopicArn = "" } = await sns.createTopic({ Name: "bench-account" });
  const accountId = TopicArn.split(":")[4];
  const all = { Effect: "Allow", Action: "kms:*", Resource: "*" };
  const { KeyMetadata } = await kms.createKey({
    Policy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { ...all, Principal: { AWS: `arn:aws:iam::${accountId}:root` } },
        { ...all, Principal: { Service: "sns.amazonaws.com" } },
      ],
    }),
  });
  return KeyMetadata?.Arn ?? "";
}

async function subscribeQueues(
  clients: Clients,
  topicArn: string,
  shape: TopicShape,
  queueAttributes: Readonly<Record<string, string>>,
): Promise<string[]> {
  const urls: string[] = [];
  for (let from = 0; from < shape.queues; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, shape.queues - from) }, (_, index) =>
      subscribeQueue(clients, topicArn, shape, from + index, queueAttributes),
    );
    urls.push(...(await Promise.all(some)));
  }
  return urls;
}

async function subscribeQueue(
  { sqs, sns }: Clients,
  topicArn: string,
  shape: TopicShape,
  index: number,
  queueAttributes: Readonly<Record<string, string>>,
): Promise<string> {
  const queueArn = `${topicArn.replace(":sns:", ":sqs:")}-${index}`;
  const { QueueUrl = "" } = await sqs.createQueue({
    QueueName: queueArn.split(":")[5],
    Attributes: { ...queueAttributes, Policy: queuePolicy(queueArn, topicArn) },
  });
  const kind = index < 3 ? "wanted" : `other-${index}`;
  await sns.subscribe({
    TopicArn: topicArn,
    Protocol: "sqs",
    Endpoint: queueArn,
    Attributes: {
      RawMessageDelivery: String(shape.raw),
      ...(shape.filtered && { FilterPolicy: JSON.stringify({ kind: [kind] }) }),
    },
  });
  return QueueUrl;
}

export function queuePolicy(queueArn: string, topicArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: queueArn,
      Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
    },
  });
}
