import { setTimeout as pause } from "node:timers/promises";
import type { SQS } from "@aws-sdk/client-sqs";
import { DrillLedger, type DrillReport } from "./ledger.ts";

const senders = 6;
const groups = ["a", "b", "c"];
/** A message that a dead server or a lost answer left hidden comes again after this. */
const visibilitySeconds = 2;
const drainMsMax = 60_000;
/** Taken after a fault, it shows that clients recovered. */
const afterwardsMin = 20;
/** Sending is meant to meet the fault, not to fill the queue. */
const pauseBetweenMs = 3;

/** What a drill needs of its servers. */
export interface DrillServers {
  readonly all: readonly { readonly clients: { readonly sqs: SQS } }[];
}

export interface DrillOptions {
  readonly servers: DrillServers;
  /** How long messages are sent at least. */
  readonly seconds: number;
  /** Each message is longer by so much. */
  readonly paddingBytes?: number;
  /** The fault, from its begin to its end. `failures`: times that clients were refused so far. */
  readonly disturb: (failures: () => number) => Promise<void>;
}

/**
 * Clients send, receive and delete through all servers while `disturb` does its worst, then the
 * queues are drained. Every client tries again after a retryable failure; anything else fails the
 * drill at once.
 */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { servers, seconds } = options;
  const padding = ` ${".".repeat(options.paddingBytes ?? 0)}`;
  const ledger = new DrillLedger();
  const plain = await queueNamed(servers, "drill", {});
  const fifo = await queueNamed(servers, "drill.fifo", { FifoQueue: "true" });
  const run: Run = { sending: true, receiving: true, failed: false };
  const any = tryAgain(servers, run, ledger);
  const sending = [
    ...Array.from({ length: senders }, (_, index) =>
      sendAll(run, `s${index}`, async (body) => {
        await any((sqs) => sqs.sendMessage({ QueueUrl: plain, MessageBody: body + padding }));
        ledger.sent(body);
      }),
    ),
    ...groups.map((group) =>
      sendAll(run, group, async (body) => {
        const ids = { MessageGroupId: group, MessageDeduplicationId: body.replace(":", "-") };
        await any((sqs) =>
          sqs.sendMessage({ QueueUrl: fifo, MessageBody: body + padding, ...ids }),
        );
        ledger.sent(body);
      }),
    ),
  ];
  const receiving = [plain, plain, fifo, fifo].map((url) =>
    consume(run, url, url === fifo, any, ledger),
  );
  const all = Promise.all([...sending, ...receiving]);
  try {
    const fault = pause(seconds * 300).then(() => options.disturb(() => ledger.failures()));
    await Promise.race([all, Promise.all([pause(seconds * 1000), fault])]);
    await endOf(run, ledger, sending);
    await all;
    return ledger.report();
  } catch (error) {
    run.failed = true;
    run.sending = false;
    run.receiving = false;
    await Promise.allSettled([...sending, ...receiving]);
    throw error;
  }
}

/** Clients recover, then send no more, and all that was taken is received and deleted. */
async function endOf(
  run: Run,
  ledger: DrillLedger,
  sending: readonly Promise<void>[],
): Promise<void> {
  ledger.faultIsOver();
  const takenBy = performance.now() + drainMsMax;
  while (ledger.afterwards() < afterwardsMin && performance.now() < takenBy) await pause(20);
  run.sending = false;
  await Promise.all(sending);
  const drainedBy = performance.now() + drainMsMax;
  while (ledger.open() > 0 && performance.now() < drainedBy) await pause(50);
  run.receiving = false;
}

interface Run {
  sending: boolean;
  receiving: boolean;
  /** Nobody tries again: the drill has failed. */
  failed: boolean;
}

/** Without its padding. */
function bodyOf(text = ""): string {
  return text.split(" ", 1)[0] ?? "";
}

async function queueNamed(
  servers: DrillServers,
  name: string,
  attributes: Record<string, string>,
): Promise<string> {
  const [server] = servers.all;
  if (!server) throw new Error("a drill has servers");
  const Attributes = { VisibilityTimeout: String(visibilitySeconds), ...attributes };
  const made = await server.clients.sqs.createQueue({ QueueName: name, Attributes });
  return made.QueueUrl ?? "";
}

async function sendAll(
  run: { readonly sending: boolean },
  name: string,
  send: (body: string) => Promise<void>,
): Promise<void> {
  for (let number = 1; run.sending; number += 1) {
    await send(`${name}:${number}`);
    await pause(pauseBetweenMs);
  }
}

type Any = <T>(act: (sqs: SQS) => Promise<T>) => Promise<T>;

/** By turns over the servers, until one answers; as clients with retries do. */
function tryAgain(servers: DrillServers, run: Run, ledger: DrillLedger): Any {
  let turn = 0;
  return async (act) => {
    for (;;) {
      turn += 1;
      const server = servers.all[turn % servers.all.length];
      if (!server) throw new Error("a drill has servers");
      try {
        return await act(server.clients.sqs);
      } catch (error) {
        const { $metadata, name, code = name } = error as SdkError;
        const status = $metadata?.httpStatusCode;
        if (run.failed || (status !== undefined && status < 500)) {
          throw new Error(`not retryable: ${status} ${name}`, { cause: error });
        }
        ledger.tryAgain(status === undefined ? code : `${status} ${name}`);
        await pause(50);
      }
    }
  };
}

interface SdkError {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly name: string;
  /** Of a connection that failed. */
  readonly code?: string;
}

async function consume(
  run: { readonly receiving: boolean },
  url: string,
  ordered: boolean,
  any: Any,
  ledger: DrillLedger,
): Promise<void> {
  while (run.receiving) {
    const deletedBefore = ledger.deletedSoFar();
    const begunMs = performance.now();
    const { Messages = [] } = await any((sqs) =>
      sqs.receiveMessage({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    for (const { MessageId = "", Body = "" } of Messages) {
      if (ordered) ledger.cameInOrder(MessageId, bodyOf(Body), deletedBefore);
      else ledger.came(MessageId, bodyOf(Body), deletedBefore);
    }
    if (Messages.length === 0) continue;
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
    }));
    const { Successful = [] } = await any((sqs) =>
      sqs.deleteMessageBatch({ QueueUrl: url, Entries }),
    );
    for (const { Id } of Successful) {
      const message = Messages[Number(Id)];
      if (!message) continue;
      // AWS: a handle that a later receive replaced answers success and deletes nothing.
      const held = performance.now() - begunMs < visibilitySeconds * 1000;
      if (held) ledger.deleted(message.MessageId ?? "", bodyOf(message.Body));
      else ledger.perhapsDeleted(bodyOf(message.Body));
    }
  }
}
