// Goal: a message sent twice within five minutes is put in once, whatever happened in between, and
// nothing stored tells of a body. Method: the service over the real store with a clock moved by
// hand.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { bodies, withFifo } from "./fifo-scene.ts";
import { counts, refused, url } from "./one-queue.ts";

const minutesMs = 60_000;
const contentBased = { ContentBasedDeduplication: "true" };
const perGroup = { DeduplicationScope: "messageGroup" };

test("a duplicate answers as the first send did, and is put in again after 5 minutes", async (t) => {
  const { here, send, receive } = await withFifo(t);
  const first = await send("a", "body", { MessageDeduplicationId: "d" });
  await here.clock.advance(5 * minutesMs - 1);
  const second = await send("a", "other", { MessageDeduplicationId: "d" });
  assert.deepEqual(
    [second.MessageId, second.SequenceNumber],
    [first.MessageId, first.SequenceNumber],
  );
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
  await here.clock.advance(1);
  const third = await send("a", "other", { MessageDeduplicationId: "d" });
  assert.notEqual(third.MessageId, first.MessageId);
  assert.deepEqual(bodies(await receive()), ["body", "other"]);
});

test("a duplicate has the MD5 of its own body", async (t) => {
  const { send } = await withFifo(t);
  await send("a", "one", { MessageDeduplicationId: "d" });
  const answer = await send("a", "two", { MessageDeduplicationId: "d" });
  const md5 = createHash("md5").update("two").digest("hex");
  assert.equal((answer as { MD5OfMessageBody?: string }).MD5OfMessageBody, md5);
});

test("deletion and purge do not make a send forgotten; the death of the queue does", async (t) => {
  const { here, create, send, receive, remove } = await withFifo(t);
  await send("a", "x");
  await remove((await receive())[0]);
  await send("a", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [0, 0, 0]);
  await here.call("PurgeQueue", { QueueUrl: url("orders.fifo") });
  await send("a", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [0, 0, 0]);
  await here.call("DeleteQueue", { QueueUrl: url("orders.fifo") });
  await here.clock.advance(minutesMs);
  await create("orders.fifo");
  await send("a", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
});

test("content decides where no id is given, attributes aside; an id overrides it", async (t) => {
  const { here, send, receive } = await withFifo(t, contentBased);
  const noId = { MessageDeduplicationId: undefined };
  const attribute = { MessageAttributes: { a: { DataType: "String", StringValue: "1" } } };
  await send("a", "same", noId);
  await send("a", "same", { ...noId, ...attribute });
  await send("a", "same", { MessageDeduplicationId: "other" });
  const sha = createHash("sha256").update("same").digest("hex");
  await send("a", "different", { MessageDeduplicationId: sha });
  const got = await receive();
  assert.deepEqual(bodies(got), ["same", "same"]);
  const ids = got.map(({ Attributes }) => Attributes?.MessageDeduplicationId);
  assert.deepEqual(ids, [sha, "other"]);
  assert.deepEqual(await counts(here, "orders.fifo"), [0, 2, 0]);
});

test("the scope is the queue, or with messageGroup each group", async (t) => {
  const one = await withFifo(t);
  await one.send("a", "x");
  await one.send("b", "x");
  assert.deepEqual(await counts(one.here, "orders.fifo"), [1, 0, 0]);
  const each = await withFifo(t, perGroup);
  await each.send("a", "x");
  await each.send("b", "x");
  await each.send("b", "x");
  assert.deepEqual(await counts(each.here, "orders.fifo"), [2, 0, 0]);
});

test("another scope is shown at once and in effect after a minute", async (t) => {
  const { here, send } = await withFifo(t);
  await send("a", "x");
  await here.call("SetQueueAttributes", { QueueUrl: url("orders.fifo"), Attributes: perGroup });
  await send("b", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
  await here.clock.advance(minutesMs);
  await send("b", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [2, 0, 0]);
});

test("inside one batch the second of two alike is a duplicate", async (t) => {
  const { here } = await withFifo(t, contentBased);
  const entry = { MessageBody: "same", MessageGroupId: "a" };
  const { Successful } = await here.call<{ Successful: { MessageId: string }[] }>(
    "SendMessageBatch",
    {
      QueueUrl: url("orders.fifo"),
      Entries: [
        { Id: "1", ...entry },
        { Id: "2", ...entry },
      ],
    },
  );
  assert.equal(Successful[0]?.MessageId, Successful[1]?.MessageId);
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
});

test("what is remembered goes when it is too old", async (t) => {
  const { here, send } = await withFifo(t);
  await send("a", "x");
  await here.clock.advance(4 * minutesMs);
  await here.sqs.jobs.sweepQueues();
  await send("a", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
  await here.clock.advance(2 * minutesMs);
  await here.sqs.jobs.sweepQueues();
  await send("a", "x");
  assert.deepEqual(await counts(here, "orders.fifo"), [2, 0, 0]);
});

test("each wrong send has its text", async (t) => {
  const { here, send } = await withFifo(t);
  const none = undefined;
  await assert.rejects(
    send("a", "x", { MessageGroupId: none }),
    refused("MissingParameter", /^The request must contain the parameter MessageGroupId\.$/),
  );
  await assert.rejects(
    send("a", "x", { MessageDeduplicationId: none }),
    refused("InvalidParameterValue", /^The queue should either have ContentBasedDeduplication /),
  );
  await assert.rejects(
    send("a b", "x"),
    refused(
      "InvalidParameterValue",
      /^Value a b for parameter MessageGroupId is invalid\. Reason: /,
    ),
  );
  await assert.rejects(
    send("a", "x", { MessageDeduplicationId: "x".repeat(129) }),
    refused("InvalidParameterValue", /MessageDeduplicationId can only include alphanumeric and /),
  );
  await assert.rejects(
    send("a", "x", { DelaySeconds: 2 }),
    refused(
      "InvalidParameterValue",
      /^Value 2 for parameter DelaySeconds is invalid\. Reason: The /,
    ),
  );
  await send("a", "x", { DelaySeconds: 0 });
  const batch = (entry: object) =>
    here.call("SendMessageBatch", {
      QueueUrl: url("orders.fifo"),
      Entries: [
        { Id: "good", MessageBody: "y", MessageGroupId: "a", MessageDeduplicationId: "y" },
        { Id: "bad", MessageBody: "z", ...entry },
      ],
    });
  const whole = refused("InvalidParameterValue", /must contain the parameter MessageGroupId/);
  await assert.rejects(batch({ MessageDeduplicationId: "z" }), whole);
  await assert.rejects(batch({ MessageGroupId: "a" }), refused("InvalidParameterValue", /either/));
  assert.deepEqual(await counts(here, "orders.fifo"), [1, 0, 0]);
});
