import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import { Refusal } from "../../src/kernel/errors.ts";
import { accountId, type InProcess, sqsInProcess } from "./in-process.ts";

interface Received {
  readonly Messages?: readonly Message[];
}

export const url = (name: string) => `/${accountId}/${name}`;

/** A queue `orders`, and the calls that most tests make on it. */
export async function withQueue(t: TestContext, Attributes: Record<string, string> = {}) {
  const here = await sqsInProcess(t);
  await here.call("CreateQueue", { QueueName: "orders", Attributes });
  const send = (MessageBody: string, more: object = {}) =>
    here.call<{ MessageId: string }>("SendMessage", {
      QueueUrl: url("orders"),
      MessageBody,
      ...more,
    });
  const receive = (more: object = {}, name = "orders") =>
    here
      .call<Received>("ReceiveMessage", {
        QueueUrl: url(name),
        MessageSystemAttributeNames: ["All"],
        ...more,
      })
      .then(({ Messages = [] }) => Messages);
  const remove = ({ ReceiptHandle }: Message) =>
    here.call("DeleteMessage", { QueueUrl: url("orders"), ReceiptHandle });
  return { here, send, receive, remove };
}

/** Visible, in flight, delayed. */
export async function counts(here: InProcess, name = "orders") {
  const { Attributes } = await here.call<{ Attributes: Record<string, string> }>(
    "GetQueueAttributes",
    { QueueUrl: url(name), AttributeNames: ["All"] },
  );
  return [
    Attributes.ApproximateNumberOfMessages,
    Attributes.ApproximateNumberOfMessagesNotVisible,
    Attributes.ApproximateNumberOfMessagesDelayed,
  ].map(Number);
}

/** A check for `assert.rejects`. */
export const refused = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.code, code);
  if (message) assert.match(error.message, message);
  return true;
};

/** Turns of the event loop until a long poll has looked in vain and waits. */
export async function waits(here: InProcess, until: "time" | "visibility" = "time"): Promise<void> {
  const clock = until === "time" ? here.systemClock : here.clock;
  for (let turn = 0; turn < 100_000 && clock.armed.size === 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.notEqual(clock.armed.size, 0, "a long poll waits");
}
