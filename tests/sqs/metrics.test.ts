// Goal: each queue's metrics have CloudWatch's names and count what happened. Method: the service
// over the real store; its measures and their Prometheus text after a known course of events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { queueMetricsText } from "../../src/assembly/queue-metrics.ts";
import { accountId, region } from "./in-process.ts";
import { url, withQueue } from "./one-queue.ts";

test("counters and gauges of a standard queue", async (t) => {
  const { here, send, receive, remove } = await withQueue(t);
  assert.deepEqual(await here.sqs.measure(), [], "a queue that nobody used is not active");
  for (const body of ["one", "two", "three"]) await send(body);
  await send("later", { DelaySeconds: 900 });
  await here.clock.advance(5_500);
  const [first] = await receive({ MaxNumberOfMessages: 2 });
  assert.ok(first);
  await remove(first);
  await receive({ MaxNumberOfMessages: 10 });
  await receive({ MaxNumberOfMessages: 10 });
  assert.deepEqual(await here.sqs.measure(), [
    {
      accountId,
      region,
      name: "orders",
      counters: {
        NumberOfMessagesSent: 4,
        NumberOfMessagesReceived: 3,
        NumberOfMessagesDeleted: 1,
        NumberOfEmptyReceives: 1,
        NumberOfDeduplicatedSentMessages: 0,
        SentMessageSize: 16,
      },
      gauges: {
        ApproximateAgeOfOldestMessage: 5,
        ApproximateNumberOfMessagesVisible: 0,
        ApproximateNumberOfMessagesNotVisible: 2,
        ApproximateNumberOfMessagesDelayed: 1,
        ApproximateNumberOfNoisyGroups: 0,
        ApproximateAgeOfOldestMessageInQuietGroups: 5,
        ApproximateNumberOfMessagesVisibleInQuietGroups: 0,
        ApproximateNumberOfMessagesNotVisibleInQuietGroups: 2,
        ApproximateNumberOfMessagesDelayedInQuietGroups: 1,
      },
    },
  ]);
  const text = queueMetricsText(await here.sqs.measure());
  const labels = `{account="${accountId}",region="${region}",queue="orders"}`;
  assert.ok(text.includes(`sealpost_sqs_number_of_messages_sent_total${labels} 4\n`), text);
  assert.ok(text.includes(`sealpost_sqs_approximate_age_of_oldest_message_seconds${labels} 5\n`));
  assert.ok(text.includes(`sealpost_sqs_sent_message_size_bytes_total${labels} 16\n`));
  assert.equal(text.match(/^# TYPE /gm)?.length, 15);
  const quietAge = "sealpost_sqs_approximate_age_of_oldest_message_in_quiet_groups_seconds";
  assert.ok(text.includes(`${quietAge}${labels} 5\n`), text);
  await here.call("DeleteQueue", { QueueUrl: url("orders") });
  assert.deepEqual(await here.sqs.measure(), []);
});

test("what was received three times has no age any more, but in a FIFO queue", async (t) => {
  const { here, send, receive } = await withQueue(t);
  await here.call("CreateQueue", { QueueName: "x.fifo", Attributes: { FifoQueue: "true" } });
  const ids = { MessageGroupId: "a", MessageDeduplicationId: "a" };
  await here.call("SendMessage", { QueueUrl: url("x.fifo"), MessageBody: "x", ...ids });
  await send("poison");
  await here.clock.advance(10_000);
  const ages = async () => {
    const all = await here.sqs.measure();
    return all.map(({ gauges }) => gauges.ApproximateAgeOfOldestMessage);
  };
  for (let n = 1; n <= 3; n++) {
    assert.deepEqual(await ages(), [10, 10]);
    await receive({ VisibilityTimeout: 0 });
    await receive({ VisibilityTimeout: 0 }, "x.fifo");
  }
  assert.deepEqual(await ages(), [10, 0]);
  await send("good");
  await here.clock.advance(4_000);
  assert.deepEqual(await ages(), [14, 4]);
});

test("a FIFO queue tells of duplicates and of groups in flight", async (t) => {
  const { here, receive } = await withQueue(t);
  await here.call("CreateQueue", { QueueName: "x.fifo", Attributes: { FifoQueue: "true" } });
  for (const MessageGroupId of ["a", "a", "b", "c"]) {
    const ids = { MessageGroupId, MessageDeduplicationId: MessageGroupId };
    await here.call("SendMessage", { QueueUrl: url("x.fifo"), MessageBody: "x", ...ids });
  }
  await receive({ MaxNumberOfMessages: 2 }, "x.fifo");
  const [measure] = await here.sqs.measure();
  assert.equal(measure?.counters.NumberOfMessagesSent, 3);
  assert.equal(measure?.counters.NumberOfDeduplicatedSentMessages, 1);
  assert.equal(measure?.counters.SentMessageSize, 3, "a duplicate is not sent");
  assert.equal(measure?.gauges.ApproximateNumberOfGroupsWithInflightMessages, 2);
  assert.equal(measure?.gauges.ApproximateNumberOfNoisyGroups, undefined);
});

test("a fair queue tells what it holds beside its noisy groups", async (t) => {
  const { here, send, receive, remove } = await withQueue(t);
  const sendTo = async (tenant: string | undefined, count: number, more: object = {}) => {
    for (let n = 0; n < count; n++) await send("x", { MessageGroupId: tenant, ...more });
  };
  const gauges = async () => {
    const [measure] = await here.sqs.measure();
    const all = measure?.gauges ?? {};
    const of = (suffix: string) => [
      all[`ApproximateNumberOfMessagesVisible${suffix}` as keyof typeof all],
      all[`ApproximateNumberOfMessagesNotVisible${suffix}` as keyof typeof all],
      all[`ApproximateNumberOfMessagesDelayed${suffix}` as keyof typeof all],
      all[`ApproximateAgeOfOldestMessage${suffix}` as keyof typeof all],
    ];
    return { noisy: all.ApproximateNumberOfNoisyGroups, all: of(""), quiet: of("InQuietGroups") };
  };
  await sendTo("noisy", 45);
  await here.clock.advance(10_000);
  for (let n = 0; n < 4; n++) await receive({ MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
  await sendTo("noisy", 2, { DelaySeconds: 60 });
  await sendTo("quiet", 3);
  await sendTo("quiet", 1, { DelaySeconds: 60 });
  await sendTo(undefined, 2);
  await here.clock.advance(3_000);
  assert.deepEqual(await gauges(), {
    noisy: 1,
    all: [10, 40, 3, 13],
    quiet: [5, 0, 1, 3],
  });
  // The quiet ones are received first; what is sent to the noisy group changes nothing for them.
  const [first] = await receive({ MaxNumberOfMessages: 2, VisibilityTimeout: 600 });
  await sendTo("noisy", 5);
  if (first) await remove(first);
  assert.deepEqual((await gauges()).quiet, [3, 1, 1, 3]);
  assert.deepEqual((await gauges()).all, [13, 41, 3, 13]);
  // Five minutes without a send: nobody is noisy any more, and all is quiet.
  await here.clock.advance(300_000);
  const later = await gauges();
  assert.equal(later.noisy, 0);
  assert.deepEqual(later.quiet, later.all);
});
