// Goal: on a standard queue a tenant (MessageGroupId) that holds most of what is in flight does not
// make the others wait; nothing is lost, ordered or excluded. Method: the service over the real
// store; each rule beside the case without groups, below the threshold, or after its end.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Message } from "@aws-sdk/client-sqs";
import { sqsInProcess } from "./in-process.ts";
import { counts, url } from "./one-queue.ts";

async function scene(t: TestContext) {
  const here = await sqsInProcess(t);
  await here.call("CreateQueue", { QueueName: "orders" });
  const send = async (count: number, MessageGroupId: string | undefined) => {
    for (let sent = 0; sent < count; sent += 10) {
      const Entries = Array.from({ length: Math.min(10, count - sent) }, (_, n) => ({
        Id: `e${n}`,
        MessageBody: MessageGroupId ?? "none",
        MessageGroupId,
      }));
      await here.call("SendMessageBatch", { QueueUrl: url("orders"), Entries });
    }
  };
  const receive = async (count: number, VisibilityTimeout = 600) => {
    const all: Message[] = [];
    while (all.length < count) {
      const MaxNumberOfMessages = Math.min(10, count - all.length);
      const { Messages = [] } = await here.call<{ Messages?: Message[] }>("ReceiveMessage", {
        QueueUrl: url("orders"),
        MaxNumberOfMessages,
        VisibilityTimeout,
        MessageSystemAttributeNames: ["MessageGroupId"],
      });
      if (Messages.length === 0) break;
      all.push(...Messages);
    }
    return all;
  };
  return { here, send, receive };
}

const tenants = (messages: readonly Message[]) => messages.map(({ Body }) => Body);

test("quiet tenants come before the backlog of a noisy one; without groups they do not", async (t) => {
  const { here, send, receive } = await scene(t);
  await send(200, "noisy");
  await receive(40);
  await here.clock.advance(1000);
  await send(2, "quiet");
  await send(1, "other");
  const got = await receive(5);
  assert.deepEqual(tenants(got), ["quiet", "quiet", "other", "noisy", "noisy"]);
  assert.equal(got[0]?.Attributes?.MessageGroupId, "quiet");
  assert.deepEqual(await counts(here), [158, 45, 0]);
  const twin = await scene(t);
  await twin.send(200, undefined);
  await twin.receive(40);
  await twin.here.clock.advance(1000);
  await twin.send(2, "quiet");
  assert.deepEqual(tenants(await twin.receive(2)), ["none", "none"]);
});

test("messages without a group are quiet; fewer than 30 in flight are not noisy", async (t) => {
  const { here, send, receive } = await scene(t);
  await send(100, "busy");
  await receive(29);
  await here.clock.advance(1000);
  await send(1, undefined);
  assert.deepEqual(tenants(await receive(1)), ["busy"], "29 in flight: in order of time");
  assert.deepEqual(tenants(await receive(1)), ["none"], "30 in flight: the others first");
});

test("of several noisy tenants the one with the fewest in flight comes first", async (t) => {
  const { here, send, receive } = await scene(t);
  await send(60, "more");
  await receive(50);
  await here.clock.advance(1000);
  await send(60, "fewer");
  await receive(40);
  assert.deepEqual(tenants(await receive(2)), ["fewer", "fewer"]);
});

test("a tenant is quiet again when its backlog is drained, or 5 minutes after its last send", async (t) => {
  const { here, send, receive } = await scene(t);
  await send(60, "a");
  const held = await receive(60);
  // Looking for more finds a drained backlog.
  assert.deepEqual(await receive(1), []);
  for (const { ReceiptHandle } of held) {
    await here.call("DeleteMessage", { QueueUrl: url("orders"), ReceiptHandle });
  }
  await send(1, "a");
  await here.clock.advance(1000);
  await send(1, "b");
  assert.deepEqual(tenants(await receive(2)), ["a", "b"]);
  await send(100, "noisy");
  await receive(40, 43_000);
  await here.clock.advance(1000);
  await send(1, "quiet");
  assert.deepEqual(tenants(await receive(1)), ["quiet"]);
  await here.clock.advance(300_000);
  await send(1, "late");
  assert.deepEqual(tenants(await receive(1)), ["noisy"]);
});

for (const [visibilitySeconds, first] of [
  [30, "a"],
  [60, "b"],
] as const) {
  test(`after 30 of ${visibilitySeconds} seconds ${first} comes first`, async (t) => {
    const { here, send, receive } = await scene(t);
    await send(100, "a");
    await receive(29, visibilitySeconds);
    await here.clock.advance(30_000);
    await receive(10);
    await send(1, "b");
    // What became visible again is no longer in flight: 10 or 39 of them are.
    assert.deepEqual(tenants(await receive(1)), [first]);
  });
}
