import type { TestContext } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import { type InProcess, sqsInProcess } from "./in-process.ts";
import { url } from "./one-queue.ts";

export interface Placed {
  readonly MessageId: string;
  readonly SequenceNumber: string;
}

export interface FifoScene {
  readonly here: InProcess;
  create(name: string, attributes?: Record<string, string>): Promise<unknown>;
  /** To `orders.fifo`; the deduplication id is the body unless given. */
  send(group: string, body: string, more?: object): Promise<Placed>;
  receive(count?: number, more?: object, name?: string): Promise<readonly Message[]>;
  remove(message: Message | undefined, name?: string): Promise<unknown>;
  hide(message: Message | undefined, seconds: number): Promise<unknown>;
}

/** A FIFO queue `orders.fifo`, and the calls that most tests make on it. */
export async function withFifo(
  t: TestContext,
  attributes: Record<string, string> = {},
): Promise<FifoScene> {
  const here = await sqsInProcess(t);
  const create = (QueueName: string, more: Record<string, string> = {}) =>
    here.call("CreateQueue", { QueueName, Attributes: { FifoQueue: "true", ...more } });
  await create("orders.fifo", attributes);
  return {
    here,
    create,
    send: (MessageGroupId, MessageBody, more = {}) =>
      here.call<Placed>("SendMessage", {
        QueueUrl: url("orders.fifo"),
        MessageBody,
        MessageGroupId,
        MessageDeduplicationId: MessageBody,
        ...more,
      }),
    async receive(MaxNumberOfMessages = 10, more = {}, name = "orders.fifo") {
      const { Messages = [] } = await here.call<{ Messages?: readonly Message[] }>(
        "ReceiveMessage",
        {
          QueueUrl: url(name),
          MaxNumberOfMessages,
          MessageSystemAttributeNames: ["All"],
          ...more,
        },
      );
      return Messages;
    },
    remove: (message, name = "orders.fifo") =>
      here.call("DeleteMessage", {
        QueueUrl: url(name),
        ReceiptHandle: message?.ReceiptHandle,
      }),
    hide: (message, VisibilityTimeout) =>
      here.call("ChangeMessageVisibility", {
        QueueUrl: url("orders.fifo"),
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout,
      }),
  };
}

export const bodies = (messages: readonly Message[]) => messages.map(({ Body }) => Body);
