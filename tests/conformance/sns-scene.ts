import assert from "node:assert/strict";
import type { SNS } from "@aws-sdk/client-sns";
import { refusal, startTestServer, type TestClients, type TestServer } from "../harness/server.ts";

/** A server for one file of tests, with what most of them need at hand. */
export interface SnsScene extends TestClients {
  readonly server: TestServer;
  readonly accountId: string;
}

export async function snsScene(): Promise<SnsScene> {
  const server = await startTestServer();
  return { server, accountId: server.accountId, ...server.rootClients };
}

export function topicArn(scene: SnsScene, name: string, region = "us-east-1"): string {
  return `arn:aws:sns:${region}:${scene.accountId}:${name}`;
}

export function queueArn(scene: SnsScene, name: string): string {
  return `arn:aws:sqs:us-east-1:${scene.accountId}:${name}`;
}

export async function makeTopic(
  sns: SNS,
  Name: string,
  Attributes?: Record<string, string>,
): Promise<string> {
  const { TopicArn } = await sns.createTopic({ Name, Attributes });
  assert.ok(TopicArn);
  return TopicArn;
}

export interface SubscribedQueue {
  readonly url: string;
  readonly arn: string;
  readonly subscriptionArn: string;
  /** Bodies and attributes of what waits in it, deleted as they are read. */
  drain(): Promise<readonly QueuedMessage[]>;
}

export interface QueuedMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, { DataType?: string; StringValue?: string }>>;
}

/** A queue that lets the topic send, subscribed to it. */
export async function subscribeQueue(
  scene: SnsScene,
  topic: string,
  name: string,
  options: { raw?: boolean; attributes?: Record<string, string>; closed?: boolean } = {},
): Promise<SubscribedQueue> {
  const { sqs, sns } = scene;
  const arn = queueArn(scene, name);
  const Attributes = {
    ...options.attributes,
    ...(options.closed ? {} : { Policy: JSON.stringify(openPolicy(arn, topic)) }),
  };
  const { QueueUrl: url = "" } = await sqs.createQueue({ QueueName: name, Attributes });
  const { SubscriptionArn: subscriptionArn = "" } = await sns.subscribe({
    TopicArn: topic,
    Protocol: "sqs",
    Endpoint: arn,
    Attributes: options.raw ? { RawMessageDelivery: "true" } : undefined,
  });
  return { url, arn, subscriptionArn, drain: () => drain(scene, url) };
}

export function openPolicy(queue: string, topic: string): object {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queue,
        Condition: { ArnEquals: { "aws:SourceArn": topic } },
      },
    ],
  };
}

async function drain({ sqs }: SnsScene, QueueUrl: string): Promise<readonly QueuedMessage[]> {
  const read: QueuedMessage[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
    });
    if (Messages.length === 0) return read;
    for (const { Body = "", MessageAttributes = {}, ReceiptHandle } of Messages) {
      read.push({ body: Body, attributes: MessageAttributes });
      await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
}

/** Asserts the exact refusal of an SDK call. */
export async function refuses(
  call: Promise<unknown>,
  name: string,
  status: number,
  message: string | RegExp,
): Promise<void> {
  const refused = await refusal(call);
  assert.ok(refused, `expected ${name}, but the call was accepted`);
  assert.equal(refused.name, name, refused.message);
  assert.equal(refused.status, status);
  if (typeof message === "string") assert.equal(refused.message, message);
  else assert.match(refused.message, message);
}

export const invalid = (call: Promise<unknown>, text: string | RegExp) =>
  refuses(
    call,
    "InvalidParameterException",
    400,
    typeof text === "string" ? `Invalid parameter: ${text}` : text,
  );

export interface Undelivered {
  readonly subscriptionArn: string;
  readonly messageId: string;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly failureCode: string;
  readonly failureText: string;
}

/** What did not reach its queue, as the operator sees it. */
export async function undelivered(scene: SnsScene): Promise<readonly Undelivered[]> {
  const answer = await scene.server.send({
    service: "sealpost",
    method: "GET",
    path: "/_sealpost/undelivered",
  });
  assert.equal(answer.status, 200, String(answer.body));
  return JSON.parse(String(answer.body)).notifications;
}
