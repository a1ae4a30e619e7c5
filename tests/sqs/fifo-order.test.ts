// Goal: a FIFO queue keeps the order of each group and hands out nothing of a group behind a
// message that is held. Method: the service over the real store with a clock moved by hand; each
// rule beside the case in which it does not bind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodies, withFifo } from "./fifo-scene.ts";
import { counts, refused, url, waits } from "./one-queue.ts";

const expired = refused("InvalidParameterValue", /Reason: The receipt handle has expired\.$/);

test("a receive fills itself from one group in order, then from the next", async (t) => {
  const { send, receive } = await withFifo(t);
  for (const body of ["a1", "a2"]) await send("a", body);
  await send("b", "b1");
  await send("a", "a3");
  assert.deepEqual(bodies(await receive(4)), ["a1", "a2", "a3", "b1"]);
});

test("sequence numbers have 20 digits and rise; a message shows its group and ids", async (t) => {
  const { send, receive } = await withFifo(t);
  const first = await send("a", "one");
  const second = await send("a", "two", { MessageDeduplicationId: "d-2" });
  assert.match(first.SequenceNumber, /^\d{20}$/);
  assert.ok(BigInt(second.SequenceNumber) > BigInt(first.SequenceNumber));
  const [, message] = await receive();
  const { SequenceNumber, MessageGroupId, MessageDeduplicationId } = message?.Attributes ?? {};
  assert.deepEqual(
    [SequenceNumber, MessageGroupId, MessageDeduplicationId],
    [second.SequenceNumber, "a", "d-2"],
  );
});

test("while a message is held its group gives nothing more; other groups do", async (t) => {
  const { here, send, receive, remove } = await withFifo(t);
  for (const body of ["a1", "a2", "a3"]) await send("a", body);
  await send("b", "b1");
  const [first] = await receive(1);
  assert.equal(first?.Body, "a1");
  assert.deepEqual(bodies(await receive()), ["b1"]);
  await remove(first);
  const batch = await receive(2);
  assert.deepEqual(bodies(batch), ["a2", "a3"]);
  await send("a", "a4");
  // Part of a batch deleted: the group stays closed.
  await remove(batch[0]);
  assert.deepEqual(bodies(await receive()), []);
  await remove(batch[1]);
  assert.deepEqual(bodies(await receive()), ["a4"]);
  assert.deepEqual(await counts(here, "orders.fifo"), [0, 2, 0]);
});

test("after its timeout a message comes again, first of its group, with its id", async (t) => {
  const { here, send, receive, remove, hide } = await withFifo(t);
  const sent = await send("a", "a1");
  await send("a", "a2");
  const [held] = await receive(1, { VisibilityTimeout: 10 });
  await here.clock.advance(9_999);
  assert.deepEqual(bodies(await receive()), []);
  await here.clock.advance(1);
  // Its handle is good no more, for either use, before and after another receive.
  await assert.rejects(remove(held), expired);
  await assert.rejects(hide(held, 10), expired);
  const again = await receive(1);
  assert.deepEqual([again[0]?.Body, again[0]?.MessageId], ["a1", sent.MessageId]);
  assert.equal(again[0]?.Attributes?.ApproximateReceiveCount, "2");
  await assert.rejects(remove(held), expired);
  await remove(again[0]);
  await remove(again[0]);
});

test("a timeout extended in time keeps the handle good", async (t) => {
  const { here, send, receive, remove, hide } = await withFifo(t);
  await send("a", "a1");
  const [held] = await receive(1, { VisibilityTimeout: 10 });
  await here.clock.advance(9_000);
  await hide(held, 60);
  await here.clock.advance(50_000);
  await remove(held);
  assert.deepEqual(await counts(here, "orders.fifo"), [0, 0, 0]);
});

test("one message of a batch made visible comes again alone, up to the next held one", async (t) => {
  const { send, receive, hide } = await withFifo(t);
  for (const body of ["a1", "a2", "a3", "a4"]) await send("a", body);
  const [first, second] = await receive(3);
  await hide(second, 0);
  assert.deepEqual(bodies(await receive()), [], "a1 is held before it");
  await hide(first, 0);
  assert.deepEqual(bodies(await receive()), ["a1", "a2"], "a3 is held before a4");
});

test("expired entries of a batch fail alone", async (t) => {
  const { here, send, receive } = await withFifo(t);
  await send("a", "a1");
  await send("b", "b1");
  const [late] = await receive(1, { VisibilityTimeout: 5 });
  const [good] = await receive(1, { VisibilityTimeout: 60 });
  await here.clock.advance(10_000);
  const { Successful, Failed } = await here.call<{ Successful: object[]; Failed: object[] }>(
    "DeleteMessageBatch",
    {
      QueueUrl: url("orders.fifo"),
      Entries: [
        { Id: "late", ReceiptHandle: late?.ReceiptHandle },
        { Id: "good", ReceiptHandle: good?.ReceiptHandle },
      ],
    },
  );
  assert.deepEqual(Successful, [{ Id: "good" }]);
  assert.equal(Failed.length, 1);
  assert.match(JSON.stringify(Failed), /InvalidParameterValue.*The receipt handle has expired/);
});

test("the delay is the queue's, and a change counts for what is there already", async (t) => {
  const { here, send, receive } = await withFifo(t, { DelaySeconds: "100" });
  await send("a", "a1");
  assert.deepEqual(await counts(here, "orders.fifo"), [0, 0, 1]);
  const set = (DelaySeconds: string) =>
    here.call("SetQueueAttributes", { QueueUrl: url("orders.fifo"), Attributes: { DelaySeconds } });
  await here.clock.advance(20_000);
  await set("20");
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
  await set("50");
  assert.deepEqual(bodies(await receive()), []);
  await here.clock.advance(30_000);
  assert.deepEqual(bodies(await receive()), ["a1"]);
});

test("a consumer that waits hears of a group that opens", async (t) => {
  const { here, send, receive, remove } = await withFifo(t);
  for (const body of ["a1", "a2"]) await send("a", body);
  const [held] = await receive(1);
  const waiting = receive(1, { WaitTimeSeconds: 20 });
  await waits(here);
  await remove(held);
  assert.deepEqual(bodies(await waiting), ["a2"]);
});

test("a held message beyond retention lets its group go", async (t) => {
  const { here, send, receive } = await withFifo(t, { MessageRetentionPeriod: "60" });
  await send("a", "a1");
  await here.clock.advance(50_000);
  await send("a", "a2");
  assert.deepEqual(bodies(await receive(1, { VisibilityTimeout: 43_200 })), ["a1"]);
  await here.clock.advance(9_000);
  assert.deepEqual(bodies(await receive()), []);
  await here.clock.advance(2_000);
  assert.deepEqual(bodies(await receive()), ["a2"]);
});

test("what KMS refuses keeps its group closed, not other groups; it counts once others open", async (t) => {
  const { here, send, receive } = await withFifo(t, { KmsMasterKeyId: "alias/old" });
  await send("a", "a1");
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders.fifo"),
    Attributes: { KmsMasterKeyId: "alias/new" },
  });
  await send("a", "a2");
  const { Refusal } = await import("../../src/kernel/errors.ts");
  here.kms.open = (keyArn) => {
    if (keyArn === "alias/old") throw new Refusal("AccessDeniedException", "no");
  };
  await assert.rejects(receive(), refused("KmsAccessDenied"));
  assert.deepEqual(await counts(here, "orders.fifo"), [2, 0, 0]);
  await send("b", "b1");
  assert.deepEqual(bodies(await receive(1)), ["b1"]);
  // The queue goes on, so a1 counts and its group is locked until it is visible again.
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 2, 0]);
});

test("the in-flight limit answers nothing and no error", async (t) => {
  const { receive } = await withFifo(t);
  assert.deepEqual(await receive(10, { WaitTimeSeconds: 0 }), []);
});
