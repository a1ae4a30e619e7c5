// Goal: predictions are AWS's, periods have no gap and count nothing twice. Method: the examples of
// AWS's guide, and uses as the audit would hold them.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  awsPrices,
  keyPrice,
  ownQueueTimes,
  priceOf,
  queueTimes,
  requestsOf,
  topicTimes,
} from "../../src/costs/formula.ts";
import { monthOf, type Period, periodSeconds, periodUpTo } from "../../src/costs/period.ts";
import { kmsUses, type Lookup, tallyOf } from "../../src/costs/uses.ts";

const day = 86_400;
const rate = (days: number) => ({ periodSeconds: days * day, reuseSeconds: 300 });

test("AWS's two examples of topics", () => {
  assert.equal(requestsOf(rate(31), topicTimes(1)), 17_856);
  const both = requestsOf(rate(28), topicTimes(3)) + requestsOf(rate(28), topicTimes(5));
  assert.equal(both, 129_024);
});

test("queues: B / D × (2 × P + C) at AWS, B / D × (P + P × C) here", () => {
  assert.equal(requestsOf(rate(1), queueTimes(2, 3)), 288 * 7);
  assert.equal(requestsOf(rate(1), ownQueueTimes(2, 3, false)), 288 * 8);
  assert.equal(requestsOf(rate(1), ownQueueTimes(2, 3, true)), 288 * 10);
  assert.equal(requestsOf({ periodSeconds: 100, reuseSeconds: 300 }, 2), 1, "what is begun costs");
});

test("prices: $0.03 for 10,000 requests, $1 for a key and month", () => {
  assert.equal(priceOf(17_856, awsPrices), 0.053568);
  assert.equal(keyPrice(31 * day, awsPrices), 1.019178);
});

test("a month is a month of UTC; anything else is none", () => {
  assert.equal(periodSeconds(monthOf("2026-01") as Period), 31 * day);
  assert.equal(periodSeconds(monthOf("2028-02") as Period), 29 * day);
  assert.equal(new Date(monthOf("2026-12")?.toMs ?? 0).toISOString(), "2027-01-01T00:00:00.000Z");
  for (const text of ["2026-13", "2026-00", "26-01", "2026-1", ""]) {
    assert.equal(monthOf(text), undefined, text);
  }
});

const scope = { accountId: "123456789012", region: "us-east-1" };
const arn = "arn:aws:sns:us-east-1:123456789012:t";

function event(timeMs: number, number: number, more: object = {}) {
  const record = {
    eventType: "AwsApiCall",
    userIdentity: { type: "IAMUser", arn: "alice" },
    requestParameters: { encryptionContext: { "aws:sns:topicArn": arn } },
    ...more,
  };
  const eventName = "Decrypt";
  const eventSource = "kms.amazonaws.com";
  const rest = {
    username: "",
    accessKeyId: "",
    readOnly: true,
    resources: [],
    eventId: `${number}`,
  };
  return {
    ...scope,
    ...rest,
    timeMs,
    number,
    eventName,
    eventSource,
    record: JSON.stringify(record),
  };
}

/** Answers as the store does: newest first, a page at a time. */
function historyOf(events: readonly ReturnType<typeof event>[]): Lookup {
  return async ({ startMs, endMs, limit, after }) =>
    [...events]
      .sort((left, right) => right.timeMs - left.timeMs || right.number - left.number)
      .filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs)
      .filter(
        ({ timeMs, number }) =>
          !after || timeMs < after.timeMs || (timeMs === after.timeMs && number < after.number),
      )
      .slice(0, limit);
}

const hourMs = 3_600_000;
const nowMs = 100 * hourMs;

test("a use that began a moment before the period is in it, one under way is cut", async () => {
  const period = periodUpTo(nowMs, 10 * 3600);
  const scopes = [scope];
  const from = nowMs - 10 * hourMs;
  const young = [event(from - 2, 1), event(from + 1, 2), event(nowMs, 3)];
  assert.equal((await kmsUses(historyOf(young), { scopes, period })).length, 3);
  const old = [event(from - 2 * hourMs, 0), ...young];
  assert.equal((await kmsUses(historyOf(old), { scopes, period })).length, 2);
  const bob = event(from - 2 * hourMs, 0, { userIdentity: { type: "IAMUser", arn: "bob" } });
  assert.equal((await kmsUses(historyOf([bob, ...young]), { scopes, period })).length, 3);
});

test("pages meet without a gap, failures are told apart, copies count once", async () => {
  const period = periodUpTo(nowMs, 3600);
  const many = Array.from({ length: 1234 }, (_, index) => event(nowMs - (index % 7), index));
  const failed = event(nowMs, 5000, { errorCode: "AccessDenied" });
  const other = { accountId: "999999999999", region: "us-east-1" };
  const shared = event(nowMs, 6000, { sharedEventID: "s" });
  const service = event(nowMs, 7000, { eventType: "AwsServiceEvent" });
  const inside = { sourceIPAddress: "AWS Internal", userIdentity: { invokedBy: "AWS Internal" } };
  const synchronized = event(nowMs, 8000, inside);
  const uses = await kmsUses(historyOf([...many, failed, shared, service, synchronized]), {
    scopes: [scope],
    period,
  });
  assert.deepEqual(tallyOf(uses), { generateDataKey: 0, decrypt: 1235, other: 0, failed: 1 });
  const twice = await kmsUses(historyOf([shared]), { scopes: [scope, other], period });
  assert.equal(twice.length, 1);
});
