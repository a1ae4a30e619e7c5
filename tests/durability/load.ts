import type { TestClients } from "../harness/server.ts";
import { type Ledger, wholeBody } from "./ledger.ts";

export interface LoadPlan {
  readonly clients: TestClients;
  readonly ledger: Ledger;
  /** URL path by queue name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly topicArn: string;
  readonly keyId: string;
  /** Begins the names of this round's bodies. */
  readonly round: string;
  readonly random: () => number;
}

export interface Load {
  /** Waits until every worker met the end of its server. */
  ended(): Promise<void>;
  /** Encryption contexts of acknowledged GenerateDataKey calls. */
  readonly kmsCalls: readonly string[];
  /** Names of queues whose making was acknowledged. */
  readonly queuesMade: readonly string[];
}

/**
 * Clients that send, publish, receive, delete, take data keys and manage until the server is
 * gone.
 */
export function startLoad(plan: LoadPlan): Load {
  const kmsCalls: string[] = [];
  const queuesMade: string[] = [];
  const workers = [
    ...[1, 2, 3].map((n) => untilGone((i) => sendOne(plan, `${plan.round}-s${n}-${i}`))),
    untilGone((i) => sendBatch(plan, `${plan.round}-b-${i}`)),
    ...[1, 2].map((n) => untilGone((i) => publishOne(plan, `${plan.round}-p${n}-${i}`))),
    ...[1, 2].map(() => untilGone(() => consume(plan))),
    untilGone((i) => takeDataKey(plan, `${plan.round}-k-${i}`, kmsCalls)),
    untilGone((i) => makeQueue(plan, `${plan.round}-q-${i}`, queuesMade)),
  ];
  return {
    kmsCalls,
    queuesMade,
    async ended() {
      await Promise.all(workers);
    },
  };
}

/** A refused connection ends a worker; an answer of the server that is an error is a failure. */
async function untilGone(act: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      await act(i);
    } catch (error) {
      if (isAnswer(error)) throw error;
      return;
    }
  }
}

function isAnswer(error: unknown): boolean {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode !== undefined;
}

function someQueue({ ledger, random }: LoadPlan): string {
  return ledger.queues[Math.floor(random() * ledger.queues.length)] ?? "";
}

async function sendOne(plan: LoadPlan, name: string): Promise<void> {
  const queue = someQueue(plan);
  const MessageBody = wholeBody(name);
  await plan.clients.sqs.sendMessage({ QueueUrl: plan.paths.get(queue), MessageBody });
  plan.ledger.acknowledged(queue, MessageBody);
}

async function sendBatch(plan: LoadPlan, name: string): Promise<void> {
  const queue = someQueue(plan);
  const Entries = [0, 1, 2, 3, 4].map((n) => ({
    Id: String(n),
    MessageBody: wholeBody(`${name}-${n}`),
  }));
  const { Successful = [] } = await plan.clients.sqs.sendMessageBatch({
    QueueUrl: plan.paths.get(queue),
    Entries,
  });
  for (const { Id } of Successful) {
    plan.ledger.acknowledged(queue, Entries[Number(Id)]?.MessageBody ?? "");
  }
}

async function publishOne({ clients, ledger, topicArn }: LoadPlan, name: string): Promise<void> {
  const body = wholeBody(name);
  try {
    await clients.sns.publish({ TopicArn: topicArn, Message: body });
  } catch (error) {
    ledger.publishUnanswered(body);
    throw error;
  }
  ledger.published(body);
}

/** Deletes about half of what it receives. */
async function consume(plan: LoadPlan): Promise<void> {
  const queue = someQueue(plan);
  const QueueUrl = plan.paths.get(queue);
  const { sqs } = plan.clients;
  const received = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
  const chosen = (received.Messages ?? []).filter(() => plan.random() < 0.5);
  await remove(plan, queue, chosen);
}

export async function remove(
  { clients, ledger, paths }: Pick<LoadPlan, "clients" | "ledger" | "paths">,
  queue: string,
  messages: readonly { readonly Body?: string; readonly ReceiptHandle?: string }[],
): Promise<void> {
  if (messages.length === 0) return;
  const Entries = messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
  const bodyOf = (id: string | undefined) => messages[Number(id)]?.Body ?? "";
  try {
    const request = { QueueUrl: paths.get(queue), Entries };
    const { Successful = [] } = await clients.sqs.deleteMessageBatch(request);
    for (const { Id } of Successful) ledger.deletedFrom(queue, bodyOf(Id));
  } catch (error) {
    for (const { Body = "" } of messages) ledger.deleteUnanswered(queue, Body);
    throw error;
  }
}

/**
 * Hands out a secret: its answer waits for the audit. (Other reads may lose their last records.)
 */
async function takeDataKey(plan: LoadPlan, name: string, done: string[]): Promise<void> {
  await plan.clients.kms.generateDataKey({
    KeyId: plan.keyId,
    KeySpec: "AES_256",
    EncryptionContext: { call: name },
  });
  done.push(name);
}

async function makeQueue(plan: LoadPlan, name: string, done: string[]): Promise<void> {
  await plan.clients.sqs.createQueue({ QueueName: name });
  done.push(name);
}
