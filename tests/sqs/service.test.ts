import assert from "node:assert/strict";
import { test } from "node:test";
import { accountId, region, userNamed } from "./in-process.ts";
import { counts, refused, url, withQueue } from "./one-queue.ts";

// Goal: what a queue promises around time, deletion and owners, down to visibility and counts.
// Method: the service over the real store and sealer, on clocks that move by hand.

test("a sent message is received, hidden, seen again, and deleted", async (t) => {
  const { here, send, receive, remove } = await withQueue(t);
  const { MessageId } = await send("hello");
  const [first] = await receive();
  assert.equal(first?.Body, "hello");
  assert.equal(first?.MessageId, MessageId);
  assert.equal(first?.Attributes?.SenderId, "AIDAALICE");
  assert.equal(first?.Attributes?.ApproximateReceiveCount, "1");
  assert.deepEqual(await receive(), []);
  await here.clock.advance(30_000);
  const [second] = await receive();
  assert.equal(second?.Attributes?.ApproximateReceiveCount, "2");
  assert.equal(
    second?.Attributes?.ApproximateFirstReceiveTimestamp,
    first?.Attributes?.ApproximateFirstReceiveTimestamp,
  );
  assert.ok(first && second);
  await remove(first);
  assert.deepEqual(await counts(here), [0, 1, 0], "an older handle deletes nothing");
  await remove(second);
  await remove(second);
  assert.deepEqual(await counts(here), [0, 0, 0]);
});

test("what was received too often moves to the dead-letter queue, whole, and opens there", async (t) => {
  const { here, send, receive } = await withQueue(t, { KmsMasterKeyId: "alias/source" });
  await here.call("CreateQueue", { QueueName: "dead" });
  const deadLetterTargetArn = `arn:aws:sqs:${region}:${accountId}:dead`;
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders"),
    Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: "1" }) },
  });
  const { MessageId } = await send("poison");
  await send("good");
  const [first] = await receive({ VisibilityTimeout: 10 });
  assert.equal(first?.Body, "poison");
  await here.clock.advance(10_000);
  const next = await receive();
  assert.equal(next[0]?.Body, "good", "the look goes on behind what moved");
  assert.deepEqual(await receive({ VisibilityTimeout: 5 }), []);
  const [dead] = await receive({}, "dead");
  assert.equal(dead?.Body, "poison");
  assert.equal(dead?.MessageId, MessageId);
  assert.equal(dead?.Attributes?.ApproximateReceiveCount, "2");
  assert.equal(dead?.Attributes?.SentTimestamp, first?.Attributes?.SentTimestamp);
  const source = `arn:aws:sqs:${region}:${accountId}:orders`;
  assert.equal(dead?.Attributes?.DeadLetterQueueSourceArn, source);
  assert.equal(first?.Attributes?.DeadLetterQueueSourceArn, undefined);
});

test("without its dead-letter queue a queue hands out on", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await here.call("CreateQueue", { QueueName: "dead" });
  const deadLetterTargetArn = `arn:aws:sqs:${region}:${accountId}:dead`;
  await here.call("SetQueueAttributes", {
    QueueUrl: url("orders"),
    Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }) },
  });
  await here.call("DeleteQueue", { QueueUrl: url("dead") });
  await send("kept");
  await receive({ VisibilityTimeout: 0 });
  const [again] = await receive();
  assert.equal(again?.Attributes?.ApproximateReceiveCount, "2");
});

test("visibility changes, up to 12 hours from the receive", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await send("held");
  const [message] = await receive();
  const change = (VisibilityTimeout: number) =>
    here.call("ChangeMessageVisibility", {
      QueueUrl: url("orders"),
      ReceiptHandle: message?.ReceiptHandle,
      VisibilityTimeout,
    });
  await change(0);
  assert.deepEqual(await counts(here), [1, 0, 0]);
  await change(43_200);
  assert.deepEqual(await counts(here), [0, 1, 0]);
  await here.clock.advance(1_000);
  await assert.rejects(change(43_200), refused("InvalidParameterValue", /beyond the limit/));
  await change(43_199);
  await here.call("DeleteMessage", {
    QueueUrl: url("orders"),
    ReceiptHandle: message?.ReceiptHandle,
  });
  await assert.rejects(change(5), refused("InvalidParameterValue", /Message does not exist/));
});

test("a delay holds back, and retention ends a message even in flight", async (t) => {
  const { here, send, receive } = await withQueue(t, { MessageRetentionPeriod: "60" });
  await send("late", { DelaySeconds: 20 });
  assert.deepEqual(await counts(here), [0, 0, 1]);
  assert.deepEqual(await receive(), []);
  await here.clock.advance(20_000);
  assert.equal((await receive({ VisibilityTimeout: 10 })).length, 1);
  await here.clock.advance(39_999);
  assert.deepEqual(await counts(here), [1, 0, 0]);
  await here.clock.advance(2);
  assert.deepEqual(await receive(), []);
  await here.sqs.jobs.expireMessages();
  assert.deepEqual(await counts(here), [0, 0, 0]);
});

test("a purge takes all, rests a minute, and its leftovers are swept", async (t) => {
  const { here, send, receive, remove } = await withQueue(t);
  await send("visible");
  await send("delayed", { DelaySeconds: 60 });
  await send("in flight");
  const [held] = await receive();
  const purge = () => here.call("PurgeQueue", { QueueUrl: url("orders") });
  await purge();
  assert.deepEqual(await counts(here), [0, 0, 0]);
  assert.ok(held);
  await remove(held);
  await assert.rejects(purge(), refused("PurgeQueueInProgress", /on orders is allowed every 60/));
  await here.clock.advance(60_000);
  await purge();
  await here.sqs.jobs.sweepQueues();
  await send("next life");
  assert.equal((await receive()).length, 1);
});

test("a deleted name rests a minute, then the queue is a new one", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await send("gone with its queue");
  await here.call("DeleteQueue", { QueueUrl: url("orders") });
  await assert.rejects(send("nobody"), refused("QueueDoesNotExist"));
  const create = () => here.call("CreateQueue", { QueueName: "orders" });
  await here.clock.advance(59_999);
  await assert.rejects(create(), refused("QueueDeletedRecently"));
  await here.sqs.jobs.sweepQueues();
  await assert.rejects(
    create(),
    refused("QueueDeletedRecently"),
    "the sweep forgets nothing early",
  );
  await here.clock.advance(1);
  await here.sqs.jobs.sweepQueues();
  await create();
  assert.deepEqual(await receive(), []);
});

test("senders are told apart, services by an id of their own", async (t) => {
  const { here, receive } = await withQueue(t);
  const input = { QueueUrl: url("orders"), MessageBody: "x" };
  await here.call("SendMessage", input, { caller: userNamed("bob") });
  await here.call("SendMessage", input, {
    caller: {
      kind: "service",
      service: "sns.amazonaws.com",
      sourceArn: `arn:aws:sns:${region}:${accountId}:t`,
      sourceAccountId: accountId,
    },
  });
  const got = await receive({ MaxNumberOfMessages: 10 });
  const senders = got.map(({ Attributes }) => Attributes?.SenderId ?? "").sort();
  assert.match(senders[0] ?? "", /^AIDA[A-Z2-7]{17}$/);
  assert.equal(senders.includes("AIDABOB"), true);
});

test("the queue's policy speaks for other accounts, but never in what only the owner may do", async (t) => {
  const { here } = await withQueue(t, { KmsMasterKeyId: "alias/k" });
  const foreign = { caller: userNamed("eve", "111122223333") };
  await here.call("AddPermission", {
    QueueUrl: url("orders"),
    Label: "eve",
    AWSAccountIds: ["111122223333"],
    Actions: ["*"],
  });
  const usesOf = async (operation: string, input: object, options = foreign) => {
    await here.call(operation, { QueueUrl: url("orders"), ...input }, options);
    return here.uses.at(-1)?.[0];
  };
  const sent = await usesOf("SendMessage", { MessageBody: "x" });
  assert.ok(sent?.policy);
  assert.equal(sent.secureTransportOnly, true);
  const Tags = { team: "a" };
  const own = await usesOf("TagQueue", { Tags }, { caller: userNamed("alice") });
  assert.ok(own?.policy, "a Deny in it holds for the owner's users");
  assert.deepEqual(own.context, { "aws:requesttag/team": "a", "aws:tagkeys": ["team"] });
  const ownerOnly: readonly [string, object][] = [
    ["TagQueue", { Tags }],
    ["UntagQueue", { TagKeys: ["team"] }],
    ["ListQueueTags", {}],
    ["SetQueueAttributes", { Attributes: { DelaySeconds: "1" } }],
    ["AddPermission", { Label: "b", AWSAccountIds: ["111122223333"], Actions: ["*"] }],
    ["RemovePermission", { Label: "b" }],
    ["DeleteQueue", {}],
  ];
  for (const [operation, input] of ownerOnly) {
    const use = await usesOf(operation, input);
    assert.equal(use?.policy, undefined, operation);
    assert.equal(use?.accountId, accountId);
  }
});
