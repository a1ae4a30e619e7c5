// Goal: what becomes of a delivery that does not work, for each kind of endpoint. Method: SNS and
// its worker over the real store with a clock by hand; queues and carriers answer as the test says.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import type { BackoffFunction } from "../../src/services/sns/delivery-policy.ts";
import type { CarrierAnswer, Carriers, HttpDelivery } from "../../src/services/sns/ports.ts";
import {
  awsManagedSchedule,
  customerManagedSchedule,
  httpSchedule,
  type RetrySchedule,
  retryDelayMs,
} from "../../src/services/sns/retries.ts";
import { type InProcessOptions, queueArn, snsInProcess } from "./in-process.ts";

const minuteMs = 60_000;
const deadArn = `${queueArn}-dead`;
const role = "arn:aws:iam::123456789012:role/log";
const ok: CarrierAnswer = { ok: true, statusCode: 200, response: "thanks" };
const failing = (statusCode: number, retryable: boolean): CarrierAnswer => ({
  ok: false,
  code: `HTTP${statusCode}`,
  text: `the endpoint answered ${statusCode}`,
  retryable,
  statusCode,
});

function delays(schedule: RetrySchedule): number[] {
  const all: number[] = [];
  for (let attempts = 1; ; attempts += 1) {
    const delay = retryDelayMs(schedule, attempts);
    if (delay === undefined) return all;
    all.push(delay / 1000);
  }
}

test("mail, SMS and push are retried 50 times in 6 hours", () => {
  const seconds = delays(customerManagedSchedule);
  assert.equal(seconds.length, 50);
  assert.deepEqual(seconds.slice(0, 3), [10, 10, 10]);
  assert.deepEqual(seconds.slice(11, 13), [600, 600]);
  const hours = seconds.reduce((sum, each) => sum + each, 0) / 3600;
  assert.ok(hours > 6 && hours < 7, String(hours));
  assert.equal(delays(awsManagedSchedule).length, 100_015);
});

const policy = (changes: object) => ({
  minDelayTarget: 1,
  maxDelayTarget: 61,
  numRetries: 8,
  numNoDelayRetries: 1,
  numMinDelayRetries: 1,
  numMaxDelayRetries: 1,
  backoffFunction: "linear" as BackoffFunction,
  ...changes,
});

test("http retries in four phases; each backoff function has its own curve", () => {
  const curves: Record<BackoffFunction, number[]> = {
    linear: [1, 16, 31, 46, 61],
    arithmetic: [1, 7, 19, 37, 61],
    geometric: [1, 2.795, 7.81, 21.827, 61],
    exponential: [1, 5, 13, 29, 61],
  };
  for (const backoffFunction of Object.keys(curves) as BackoffFunction[]) {
    const seconds = delays(httpSchedule(policy({ backoffFunction })));
    assert.deepEqual(seconds, [0, 1, ...curves[backoffFunction], 61], backoffFunction);
  }
  const long = delays(httpSchedule(policy({ maxDelayTarget: 3600, numMaxDelayRetries: 6 })));
  assert.ok(long.reduce((sum, each) => sum + each, 0) <= 3600, "an hour, whatever the policy says");
  assert.deepEqual(delays(httpSchedule(policy({ numRetries: 3 }))), [0, 1, 61]);
});

async function scene(t: TestContext, answer: () => CarrierAnswer, options: InProcessOptions = {}) {
  const requests: HttpDelivery[] = [];
  const none = async () => assert.fail("nobody is subscribed so");
  const carriers: Carriers = {
    async http(request) {
      requests.push(request);
      return answer();
    },
    lambda: none,
    mail: none,
  };
  const place = await snsInProcess(t, { carriers, ...options });
  const { TopicArn } = await place.call<{ TopicArn: string }>("CreateTopic", {
    Name: "t",
    Attributes: {
      KmsMasterKeyId: "key",
      HTTPFailureFeedbackRoleArn: role,
      HTTPSuccessFeedbackRoleArn: role,
    },
  });
  const subscribe = (Protocol: string, Endpoint: string, Attributes = {}) =>
    place.call<{ SubscriptionArn: string }>("Subscribe", {
      TopicArn,
      Protocol,
      Endpoint,
      Attributes,
      ReturnSubscriptionArn: true,
    });
  const subscribeHttp = async (Attributes = {}) => {
    const { SubscriptionArn } = await subscribe("http", "http://r.example", Attributes);
    await place.clock.advance(0);
    const Token = JSON.parse(requests.at(-1)?.body ?? "").Token;
    await place.call("ConfirmSubscription", { TopicArn, Token });
    requests.length = 0;
    place.counts.clear();
    return SubscriptionArn;
  };
  const publish = (Message = "the body") => place.call("Publish", { TopicArn, Message });
  return { place, requests, TopicArn, subscribe, subscribeHttp, publish };
}

test("an endpoint that fails for a while is retried by its policy, and counted each time", async (t) => {
  let answer = ok as CarrierAnswer;
  const { place, requests, subscribeHttp, publish } = await scene(t, () => answer);
  await subscribeHttp();
  for (const status of [500, 429]) {
    answer = failing(status, true);
    requests.length = 0;
    await publish();
    await place.clock.advance(0);
    assert.equal(requests.length, 1);
    await place.clock.advance(19_999);
    assert.equal(requests.length, 1, "20 s apart");
    await place.clock.advance(1);
    assert.equal(requests.length, 2);
    answer = ok;
    await place.clock.advance(20_000);
    assert.equal(requests.length, 3);
    assert.deepEqual(await place.undelivered(), []);
  }
  assert.equal(place.counts.get("NumberOfNotificationsFailed"), 4);
  assert.equal(place.counts.get("NumberOfNotificationsDelivered"), 2);
  answer = failing(503, true);
  await publish();
  await place.clock.advance(10 * minuteMs);
  const [row] = await place.undelivered();
  assert.equal(row?.attempts, 4, "3 retries");
  assert.equal(row?.failureCode, "HTTP503");
  assert.equal(row?.nextAttemptMs, undefined);
});

test("an endpoint that refuses is not asked again, and the status log says why", async (t) => {
  let answer = ok as CarrierAnswer;
  const { place, requests, subscribeHttp, publish, TopicArn } = await scene(t, () => answer);
  await subscribeHttp();
  await publish();
  await place.clock.advance(0);
  answer = failing(404, false);
  await publish("secret body");
  await place.clock.advance(10 * minuteMs);
  assert.equal(requests.length, 2);
  const [success, failure] = place.statusEvents;
  assert.equal(success?.group, "sns/us-east-1/123456789012/t");
  assert.equal(failure?.group, "sns/us-east-1/123456789012/t/Failure");
  const event = JSON.parse(JSON.stringify(failure?.event));
  assert.equal(event.status, "FAILURE");
  assert.equal(event.notification.topicArn, TopicArn);
  assert.match(event.notification.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  assert.equal(event.delivery.statusCode, 404);
  assert.equal(event.delivery.attempts, 1);
  assert.equal(event.delivery.destination, "http://r.example");
  assert.match(event.delivery.providerResponse, /"ErrorCode":"HTTP404"/);
  assert.equal(JSON.stringify(place.statusEvents).includes("secret body"), false);
});

test("no more than maxReceivesPerSecond leave in a second", async (t) => {
  const { place, requests, subscribeHttp, publish } = await scene(t, () => ok);
  await subscribeHttp({ DeliveryPolicy: '{"throttlePolicy":{"maxReceivesPerSecond":3}}' });
  await place.clock.advance(1000);
  for (let index = 0; index < 8; index += 1) await publish();
  const seen: number[] = [];
  for (let second = 0; second < 4; second += 1) {
    await place.clock.advance(second === 0 ? 0 : 1000);
    seen.push(requests.length);
  }
  assert.deepEqual(seen, [3, 6, 8, 8]);
});

const redrive = { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn }) };
const denied = () => new Refusal("AccessDenied", "the queue policy says no", { status: 403 });

test("given up, a notification goes to the dead-letter queue, as it would have been delivered", async (t) => {
  let answer = ok as CarrierAnswer;
  const { place, subscribe, subscribeHttp, publish, TopicArn } = await scene(t, () => answer);
  await subscribe("sqs", queueArn, { ...redrive, RawMessageDelivery: "true" });
  const subscription = await subscribeHttp(redrive);
  answer = failing(404, false);
  place.failing.queue = denied();
  place.failing.onlyQueue = "/q";
  await publish();
  await place.clock.advance(0);
  const bodies = place.sent.map(({ QueueUrl, MessageBody }) => [QueueUrl, MessageBody] as const);
  assert.ok(bodies.every(([url]) => url.endsWith("/q-dead")));
  assert.equal(bodies[0]?.[1], "the body");
  const envelope = JSON.parse(bodies[1]?.[1] ?? "");
  assert.equal(envelope.Message, "the body");
  assert.equal(envelope.TopicArn, TopicArn);
  assert.ok(envelope.UnsubscribeURL.endsWith(subscription));
  assert.deepEqual(await place.undelivered(), []);
  assert.equal(place.counts.get("NumberOfNotificationsRedrivenToDlq"), 2);
  assert.equal(place.counts.get("NumberOfNotificationsFailed"), 2);
});

test("a dead-letter queue that refuses loses nothing: it is kept, and says so", async (t) => {
  const { place, subscribe, publish } = await scene(t, () => ok);
  await subscribe("sqs", queueArn, redrive);
  place.failing.queue = denied();
  await publish();
  const [row] = await place.undelivered();
  assert.equal(
    row?.failureText,
    "the queue policy says no; dead-letter queue: the queue policy says no",
  );
  assert.equal(row?.nextAttemptMs, undefined);
  assert.equal(place.counts.get("NumberOfNotificationsFailedToRedriveToDlq"), 1);
});

test("with a retention of 0 what is given up is dropped, as in AWS", async (t) => {
  const { place, subscribe, publish } = await scene(t, () => ok, { undeliveredRetentionMs: 0 });
  await subscribe("sqs", queueArn);
  place.failing.queue = denied();
  await publish();
  assert.deepEqual(await place.undelivered(), []);
  assert.equal(place.counts.get("NumberOfNotificationsFailed"), 1);
});

test("a slow endpoint holds up nobody else", async (t) => {
  const slow = Promise.withResolvers<CarrierAnswer>();
  const requests: string[] = [];
  const tokens: string[] = [];
  const none = async () => assert.fail("nobody is subscribed so");
  const place = await snsInProcess(t, {
    carriers: {
      http({ url, headers, body }) {
        if (body.includes('"Token"')) tokens.push(JSON.parse(body).Token);
        requests.push(`${headers["x-amz-sns-message-type"]} ${url}`);
        const notification = headers["x-amz-sns-message-type"] === "Notification";
        return notification && url.includes("slow") ? slow.promise : Promise.resolve(ok);
      },
      lambda: none,
      mail: none,
    },
  });
  const { TopicArn } = await place.call<{ TopicArn: string }>("CreateTopic", { Name: "t" });
  t.after(() => slow.resolve(ok));
  for (const name of ["slow", "fast"]) {
    await place.call("Subscribe", {
      TopicArn,
      Protocol: "http",
      Endpoint: `http://${name}.example`,
    });
  }
  await place.clock.advance(0);
  for (const Token of tokens) await place.call("ConfirmSubscription", { TopicArn, Token });
  await place.call("Publish", { TopicArn, Message: "m" });
  // Two walks along the clock: the one that meets the slow lane stays in it.
  const walks = [place.clock.advance(0), place.clock.advance(0)];
  await Promise.race(walks);
  assert.ok(requests.includes("Notification http://fast.example"));
  slow.resolve(ok);
  await Promise.all(walks);
  assert.ok(requests.includes("Notification http://slow.example"));
});

test("phones, push and streams have a sealed outbox", async (t) => {
  const { place, subscribe, publish } = await scene(t, () => ok);
  await subscribe("sms", "+123123123");
  await subscribe("firehose", "arn:aws:firehose:us-east-1:123456789012:deliverystream/s", {
    SubscriptionRoleArn: role,
  });
  await publish();
  await place.clock.advance(minuteMs);
  const rows = await place.undelivered();
  assert.equal(rows.length, 2);
  assert.ok(rows.every((row) => row.failureCode === "Outbox" && row.nextAttemptMs === undefined));
  assert.ok(rows.every((row) => !Buffer.from(row.bytes).includes("the body")));
  await place.clock.advance(5 * 86_400_000);
  assert.deepEqual(await place.undelivered(), []);
});

test("on a FIFO topic a message that must wait holds up its group, and nobody else", async (t) => {
  const { place } = await scene(t, () => ok);
  const { TopicArn } = await place.call<{ TopicArn: string }>("CreateTopic", {
    Name: "t.fifo",
    Attributes: { FifoTopic: "true", ContentBasedDeduplication: "true" },
  });
  const Attributes = { RawMessageDelivery: "true" };
  const Endpoint = `${queueArn}.fifo`;
  await place.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint, Attributes });
  const publish = (Message: string, MessageGroupId: string) =>
    place.call("Publish", { TopicArn, Message, MessageGroupId });
  const bodies = () => place.sent.map(({ MessageBody }) => MessageBody);
  place.failing.queue = new Fault("disk-full", "the disk is full");
  await publish("a1", "a");
  delete place.failing.queue;
  await publish("a2", "a");
  await publish("b1", "b");
  await publish("a3", "a");
  assert.deepEqual(bodies(), ["b1"], "a1 goes first, whatever works again meanwhile");
  const rows = await place.undelivered();
  assert.equal(rows.length, 3);
  const contentDigest = createHash("sha256").update("a1").digest("hex");
  assert.ok(rows.every(({ metadata }) => !metadata.includes(contentDigest)));
  await place.clock.advance(0);
  assert.deepEqual(bodies(), ["b1", "a1", "a2", "a3"]);
  assert.deepEqual(
    place.sent.map((sent) => Reflect.get(sent, "MessageDeduplicationId")),
    ["b1", "a1", "a2", "a3"].map((body) => createHash("sha256").update(body).digest("hex")),
  );
  await publish("a4", "a");
  assert.equal(bodies().at(-1), "a4", "nothing waits any more");
});
