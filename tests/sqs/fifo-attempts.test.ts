// Goal: a receive that was lost on its way can be asked for again by its attempt id. Method: the
// service over the real store with a clock moved by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import { bodies, withFifo } from "./fifo-scene.ts";
import { refused } from "./one-queue.ts";

const attempt = { ReceiveRequestAttemptId: "try-1" };
const handles = (messages: readonly Message[]) => messages.map((it) => it.ReceiptHandle);

test("the same attempt answers the same messages and handles, hidden anew", async (t) => {
  const { here, send, receive, remove } = await withFifo(t);
  for (const body of ["a1", "a2"]) await send("a", body);
  const first = await receive(2, { ...attempt, VisibilityTimeout: 30 });
  await here.clock.advance(20_000);
  const second = await receive(2, { ...attempt, VisibilityTimeout: 30 });
  assert.deepEqual(handles(second), handles(first));
  assert.deepEqual(bodies(second), ["a1", "a2"]);
  assert.equal(second[0]?.Attributes?.ApproximateReceiveCount, "1");
  await here.clock.advance(20_000);
  assert.deepEqual(await receive(2), [], "still hidden: the second attempt began anew");
  for (const message of second) await remove(message);
  // The twin: another id, or none, answers nothing of what is held.
  await send("a", "a3");
  assert.deepEqual(bodies(await receive(1, { ReceiveRequestAttemptId: "try-2" })), ["a3"]);
  assert.deepEqual(await receive(1, { ReceiveRequestAttemptId: "try-3" }), []);
});

test("an attempt holds for 5 minutes, and while nobody touched its messages", async (t) => {
  const { here, send, receive, remove, hide } = await withFifo(t);
  for (const body of ["a1", "a2"]) await send("a", body);
  await send("b", "b1");
  const first = await receive(2, { ...attempt, VisibilityTimeout: 600 });
  await here.clock.advance(299_999);
  assert.deepEqual(
    handles(await receive(2, { ...attempt, VisibilityTimeout: 600 })),
    handles(first),
  );
  await here.clock.advance(1);
  assert.deepEqual(bodies(await receive(2, attempt)), ["b1"], "too late: a new receive");
  await here.clock.advance(600_000);
  const again = await receive(2, { ReceiveRequestAttemptId: "try-2" });
  assert.deepEqual(bodies(again), ["b1", "a1"]);
  await remove(again[0]);
  assert.deepEqual(await receive(10, { ReceiveRequestAttemptId: "try-2" }), [], "one was deleted");
  await here.clock.advance(600_000);
  const [held] = await receive(1, { ReceiveRequestAttemptId: "try-3" });
  await hide(held, 500);
  assert.notDeepEqual(
    handles(await receive(1, { ReceiveRequestAttemptId: "try-3" })),
    handles(held ? [held] : []),
  );
});

test("an attempt id is for FIFO queues, and has AWS's form", async (t) => {
  const { here, receive } = await withFifo(t);
  await here.call("CreateQueue", { QueueName: "plain" });
  await assert.rejects(receive(1, attempt, "plain"), refused("InvalidParameterValue"));
  const long = { ReceiveRequestAttemptId: "x".repeat(129) };
  await assert.rejects(receive(1, long), refused("InvalidParameterValue", /1 to 128 in length/));
});
