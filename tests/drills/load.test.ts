// Goal: a drill whose fault cannot be carried out, or whose clients are refused for good, fails
// with that reason and ends; it does not send for ever.
// Method: the load runs against a queue that answers at once.
import { rejects } from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { SQS } from "@aws-sdk/client-sqs";
import { drill } from "./load.ts";

/** Each call answers in a turn of its own; a send as `send` says. */
function serversWhere(send: () => Promise<object>) {
  const answer = async (output: object) => turn(output);
  const queue = {
    createQueue: () => answer({ QueueUrl: "queue" }),
    sendMessage: send,
    receiveMessage: () => answer({}),
  };
  return { all: [{ clients: { sqs: queue as unknown as SQS } }] };
}

test("a fault that cannot be carried out ends the drill", async () => {
  const disturb = async () => {
    throw new Error("deadlock detected");
  };
  const servers = serversWhere(() => turn({}));
  await rejects(drill({ servers, seconds: 0.01, disturb }), /deadlock detected/);
});

test("a refusal for good ends the drill", async () => {
  const refusal = Object.assign(new Error("no"), { $metadata: { httpStatusCode: 403 } });
  const servers = serversWhere(() => Promise.reject(refusal));
  const disturb = async () => {};
  await rejects(drill({ servers, seconds: 0.01, disturb }), /not retryable: 403/);
});
