import assert from "node:assert/strict";
import { test } from "node:test";
import { refused, url, waits, withQueue } from "./one-queue.ts";

// Goal: a long poll ends by the first message, its time, its client, or the end of its queue.
// Method: the service over the real store, on clocks that move by hand.

test("a long poll is answered by a send, a delay that ends, and a visibility that ends", async (t) => {
  const { here, send, receive } = await withQueue(t, { ReceiveMessageWaitTimeSeconds: "20" });
  const sent = receive();
  await send("now");
  assert.equal((await sent)[0]?.Body, "now");
  const visible = receive();
  await waits(here, "visibility");
  await here.clock.advance(30_000);
  assert.equal((await visible)[0]?.Body, "now");
  await send("later", { DelaySeconds: 10 });
  const delayed = receive();
  await waits(here, "visibility");
  await here.clock.advance(10_000);
  assert.equal((await delayed)[0]?.Body, "later");
  assert.equal(here.systemClock.armed.size, 0);
});

test("a long poll ends by its time, its client, and the end of its queue", async (t) => {
  const { here, receive } = await withQueue(t);
  const timed = receive({ WaitTimeSeconds: 20 });
  await waits(here);
  await here.systemClock.advance(20_000);
  assert.deepEqual(await timed, []);
  const client = new AbortController();
  const options = { signal: client.signal };
  const input = { QueueUrl: url("orders"), WaitTimeSeconds: 20 };
  const left = here.call("ReceiveMessage", input, options);
  await waits(here);
  client.abort();
  assert.deepEqual(await left, {});
  const doomed = receive({ WaitTimeSeconds: 20 });
  await waits(here);
  await here.call("DeleteQueue", { QueueUrl: url("orders") });
  await assert.rejects(doomed, refused("QueueDoesNotExist"));
});

test("a long poll goes over to the queue's new life after a purge", async (t) => {
  const { here, send, receive } = await withQueue(t);
  const waiting = receive({ WaitTimeSeconds: 20 });
  await waits(here);
  await here.call("PurgeQueue", { QueueUrl: url("orders") });
  await send("after");
  assert.equal((await waiting)[0]?.Body, "after");
});
