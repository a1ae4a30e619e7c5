// Goal: what could not be delivered is kept, tried again when that may help, and never lost in
// silence. Method: SNS and its worker over the real store; queue and keys fail as the test says,
// the service clock moves by hand.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import { awsManagedSchedule, retryDelayMs } from "../../src/services/sns/retries.ts";
import { type InProcess, queueArn, snsInProcess } from "./in-process.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
const busy = () => new Fault("disk-full", "the disk is full");
const throttled = () => new Refusal("KmsThrottled", "slow down");
const denied = () => new Refusal("AccessDenied", "the queue policy says no", { status: 403 });

async function topicWithQueue(t: TestContext, raw = true) {
  const place = await snsInProcess(t);
  const { TopicArn } = await place.call<{ TopicArn: string }>("CreateTopic", {
    Name: "t",
    Attributes: { KmsMasterKeyId: "key" },
  });
  const { SubscriptionArn } = await place.call<{ SubscriptionArn: string }>("Subscribe", {
    TopicArn,
    Protocol: "sqs",
    Endpoint: queueArn,
    Attributes: { RawMessageDelivery: String(raw) },
  });
  const publish = (Message = "the body") =>
    place.call<{ MessageId: string }>("Publish", { TopicArn, Message, Subject: "s" });
  return { place, TopicArn, SubscriptionArn, publish };
}

async function onlyRow(place: InProcess) {
  const rows = await place.undelivered();
  assert.equal(rows.length, 1);
  return rows[0];
}

test("the schedule is that of AWS: 100,015 retries in 23 days", () => {
  const delays: number[] = [];
  for (let attempts = 1; ; attempts += 1) {
    const delay = retryDelayMs(awsManagedSchedule, attempts);
    if (delay === undefined) break;
    delays.push(delay);
  }
  assert.equal(delays.length, 100_015);
  assert.deepEqual(delays.slice(0, 6), [0, 0, 0, 1000, 1000, 1000]);
  assert.deepEqual(delays.slice(14, 17), [20_000, 20_000, 20_000]);
  assert.ok(delays.slice(5, 15).every((delay, index, all) => delay >= (all[index - 1] ?? 0)));
  const days = delays.reduce((sum, delay) => sum + delay, 0) / dayMs;
  assert.ok(days > 23 && days < 24);
});

test("only what stays is sealed under the topic's key, once; the right to it is asked always", async (t) => {
  const { place, TopicArn, publish } = await topicWithQueue(t);
  const Endpoint = `${queueArn}-2`;
  await place.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint });
  await publish();
  assert.equal(place.sent.length, 2);
  assert.equal(place.sealed.count, 0);
  place.failing.queue = busy();
  await publish();
  assert.equal((await place.undelivered()).length, 2);
  assert.equal(place.sealed.count, 1);
  delete place.failing.queue;
  place.failing.topicKey = new Refusal("AccessDeniedException", "the key policy says no");
  place.forgetDataKeys();
  await assert.rejects(publish(), /the key policy says no/);
  assert.equal(place.sent.length, 2, "nothing went anywhere");
});

for (const [name, failure] of [
  ["a fault of the server", busy],
  ["a throttled key", throttled],
] as const) {
  test(`after ${name} the message arrives later, as it was published`, async (t) => {
    const { place, publish } = await topicWithQueue(t, false);
    place.failing.queue = failure();
    const { MessageId } = await publish();
    assert.equal((await onlyRow(place))?.attempts, 1);
    await place.clock.advance(0);
    assert.equal((await onlyRow(place))?.attempts, 4, "three retries at once");
    await place.clock.advance(1000);
    assert.equal((await onlyRow(place))?.attempts, 5);
    delete place.failing.queue;
    await place.clock.advance(1000);
    assert.deepEqual(await place.undelivered(), []);
    assert.equal(place.sent.length, 1);
    const envelope = JSON.parse(place.sent[0]?.MessageBody ?? "");
    assert.equal(envelope.MessageId, MessageId);
    assert.equal(envelope.Message, "the body");
    assert.equal(envelope.Subject, "s");
    assert.equal(Date.parse(envelope.Timestamp), place.clock.now() - 2000);
    assert.equal(place.counts.get("NumberOfNotificationsDelivered"), 1);
    assert.equal(place.counts.get("NumberOfNotificationsFailed"), undefined);
  });
}

test("what the queue's owner must mend is given up at once, seen for 4 days, then gone", async (t) => {
  const { place, publish } = await topicWithQueue(t);
  place.failing.queue = denied();
  await publish();
  const row = await onlyRow(place);
  assert.equal(row?.nextAttemptMs, undefined);
  assert.equal(row?.failureCode, "AccessDenied");
  assert.equal(row?.failureText, "the queue policy says no");
  assert.equal(place.counts.get("NumberOfNotificationsFailed"), 1);
  assert.equal(place.warnings[0]?.message, "notification given up");
  assert.equal(place.warnings[0]?.text.includes("the body"), false);
  delete place.failing.queue;
  await place.clock.advance(3 * dayMs);
  assert.equal((await onlyRow(place))?.attempts, 1);
  await place.clock.advance(dayMs + 2 * 3_600_000);
  assert.deepEqual(await place.undelivered(), []);
  assert.deepEqual(place.sent, []);
});

test("a topic key that says no makes delivery wait, and uses up no attempt", async (t) => {
  const { place, publish } = await topicWithQueue(t);
  place.failing.queue = busy();
  await publish();
  await publish("second");
  place.forgetDataKeys();
  place.failing.topicKey = new Refusal("DisabledException", "the key is disabled");
  await place.clock.advance(dayMs);
  const rows = await place.undelivered();
  assert.equal(rows.length, 2, "never dropped");
  assert.ok(rows.every((row) => row.attempts === 1));
  assert.ok(rows.every((row) => row.failureText === "topic key: the key is disabled"));
  delete place.failing.queue;
  delete place.failing.topicKey;
  await place.clock.advance(minuteMs);
  assert.deepEqual(place.sent.map(({ MessageBody }) => MessageBody).sort(), ["second", "the body"]);
});

test("a body that was tampered with is given up, not delivered", async (t) => {
  const { place, publish, SubscriptionArn } = await topicWithQueue(t);
  place.failing.queue = busy();
  const { MessageId } = await publish();
  const row = await onlyRow(place);
  assert.ok(row);
  const { bytes, dataKey, ...facts } = row;
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  const sealed = { dataKeyId: dataKey.id, bytes: changed };
  const put = { kind: "sns.undelivered.put", notification: { ...facts, sealed } };
  await place.commit([put]);
  delete place.failing.queue;
  await place.clock.advance(0);
  const after = await onlyRow(place);
  assert.equal(after?.messageId, MessageId);
  assert.equal(after?.subscriptionArn, SubscriptionArn);
  assert.equal(after?.nextAttemptMs, undefined);
  assert.equal(after?.failureCode, "body-authentication");
  assert.deepEqual(place.sent, []);
});

test("what waits goes with its subscription", async (t) => {
  const { place, publish, SubscriptionArn, TopicArn } = await topicWithQueue(t);
  place.failing.queue = busy();
  await publish();
  await place.call("Unsubscribe", { SubscriptionArn });
  assert.deepEqual(await place.undelivered(), []);
  await place.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint: queueArn });
  await publish();
  assert.equal((await place.undelivered()).length, 1);
  await place.call("DeleteTopic", { TopicArn });
  assert.deepEqual(await place.undelivered(), []);
});

test("a bug at one queue is retried and keeps the message from nobody", async (t) => {
  const { place, publish } = await topicWithQueue(t);
  place.failing.queue = new TypeError("oops");
  assert.ok((await publish()).MessageId);
  assert.equal((await onlyRow(place))?.failureCode, "InternalError");
  delete place.failing.queue;
  await place.clock.advance(0);
  assert.equal(place.sent.length, 1);
});

test("however many were given up, they all expire", async (t) => {
  const { place, publish } = await topicWithQueue(t);
  place.failing.queue = denied();
  for (let index = 0; index < 120; index += 1) {
    await Promise.all(Array.from({ length: 10 }, () => publish()));
  }
  await place.clock.advance(4 * dayMs + 3_600_000);
  assert.deepEqual(await place.undelivered(), []);
});

test("many waiting messages share one opening of their data key", async (t) => {
  const { place, publish } = await topicWithQueue(t);
  place.failing.queue = busy();
  for (let index = 0; index < 150; index += 1) await publish(`m${index}`);
  delete place.failing.queue;
  place.forgetDataKeys();
  place.opened.count = 0;
  await place.clock.advance(20_000);
  assert.equal(place.sent.length, 150);
  assert.deepEqual(await place.undelivered(), []);
  assert.ok(place.opened.count <= 3, `opened ${place.opened.count} times`);
});
