// Goal: filter policies are refused in AWS's words and let through what they name. Method: recorded
// refusals of AWS against the pure reader; then the real SDK client against a server, for the
// prefixes, both scopes, counts and limits.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FilterScope } from "../../src/services/sns/filter/policy.ts";
import { readFilterPolicy } from "../../src/services/sns/filter/read.ts";
import { invalid, makeTopic, type SnsScene, snsScene, subscribeQueue } from "./sns-scene.ts";

/** Policy, text, and the column that AWS's reader names (undefined: it names none). */
const recorded: readonly (readonly [policy: unknown, text: string, column?: number])[] = [
  [{ key: [["value"]] }, "Match value must be String, number, true, false, or null", 10],
  [{ key: [{ "wrong-operator": true }] }, "Unrecognized match type wrong-operator", 31],
  [
    { key: [{ suffix: "value", prefix: "value2" }] },
    "Only one key allowed in match expression",
    37,
  ],
  [{ key: [] }, "Empty arrays are not allowed", 10],
  [{ key: [{ suffix: 100 }] }, "suffix match pattern must be a string", 22],
  [{ key: [{ suffix: null }] }, "suffix match pattern must be a string", 23],
  [{ key: { suffix: "value" } }, '"suffix" must be an object or an array', 19],
  [{ key: [{ suffix: [] }] }, "suffix match pattern must be a string", 20],
  [{ key: { "not-an-operator": "value" } }, '"not-an-operator" must be an object or an array', 28],
  [{ key: [{ cidr: ["bad-filter"] }] }, "prefix match pattern must be a string", 18],
  [{ key: [{ cidr: "bad-filter" }] }, "Malformed CIDR, one '/' required"],
  [{ key: [{ cidr: "bad-filter/64" }] }, "Nonstandard IP address: bad-filter"],
  [{ key: [{ cidr: "bad-/64filter" }] }, "Malformed CIDR, mask bits must be an integer"],
  [{ key: [{ cidr: "xx.11.xx/8" }] }, "Nonstandard IP address: xx.11.xx"],
  [{ key: [{ cidr: "xxxx:db8::/64" }] }, "Nonstandard IP address: xxxx:db8::"],
  [{ key: [{ numeric: [] }] }, "Invalid member in numeric match: ]", 22],
  [{ key: [{ numeric: ["operator"] }] }, "Unrecognized numeric range operator: operator", 32],
  [{ key: [{ numeric: [1, "<="] }] }, "Invalid member in numeric match: 1", 22],
  [{ key: [{ numeric: ["=", "000"] }] }, "Value of equals must be numeric", 26],
  [{ key: [{ numeric: [">="] }] }, "Value of >= must be numeric", 26],
  [{ key: [{ numeric: ["<", 100, ">", 10] }] }, "Too many elements in numeric expression", 30],
  [{ key: [{ numeric: [">=", 1, ">", 2] }] }, "Bad numeric range operator: >", 31],
  [{ key: [{ numeric: [">", 3, "<", 1] }] }, "Bottom must be less than top", 33],
  [{ key: [{ numeric: [">", 20, "<="] }] }, "Value of <= must be numeric", 33],
  [{ key: [{ numeric: [">", 20, 30] }] }, "Bad value in numeric range: 30", 30],
  [{ key: [{ numeric: [">", 20, "test"] }] }, "Bad numeric range operator: test", 34],
  [{ key: [{ numeric: [">", "20", "<", "30"] }] }, "Value of > must be numeric", 26],
  [{ key: [{ numeric: [">", 20, "<", "30"] }] }, "Value of < must be numeric", 33],
  [
    { key: [{ numeric: [">", 20, "<", 30, "<", 50] }] },
    "Too many terms in numeric range expression",
    36,
  ],
  [{ key: [{ exists: null }] }, "exists match pattern must be either true or false.", 23],
  [{ key: [{ exists: "no" }] }, "exists match pattern must be either true or false.", 20],
  [
    { key: [{ "anything-but": { "wrong-operator": null } }] },
    "Unsupported anything-but pattern: wrong-operator",
    47,
  ],
  [
    { key: [{ "anything-but": { suffix: "test" } }] },
    "Unsupported anything-but pattern: suffix",
    36,
  ],
  [
    { key: [{ "anything-but": { exists: false } }] },
    "Unsupported anything-but pattern: exists",
    40,
  ],
  [{ key: [{ "anything-but": { prefix: false } }] }, "prefix match pattern must be a string", 40],
  [{ key_a: "value_one" }, '"key_a" must be an object or an array', 11],
];

test("refusals are those that AWS was seen to give, places included", () => {
  const source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
  for (const [policy, text, column] of recorded) {
    const place =
      column === undefined ? "" : `\n at [Source: ${source}; line: 1, column: ${column}]`;
    const read = readFilterPolicy(JSON.stringify(policy), "MessageAttributes");
    assert.deepEqual(read, { problem: `FilterPolicy: ${text}${place}` }, JSON.stringify(policy));
  }
});

test("AWS: numbers of a policy lie between -10^9 and 10^9", () => {
  const read = (rule: unknown) => readFilterPolicy(JSON.stringify({ n: [rule] }), "MessageBody");
  const rules = (n: number) => [n, { numeric: [">", n] }, { "anything-but": [n] }];
  for (const rule of [...rules(1e9), ...rules(-1e9)]) assert.ok("policy" in read(rule));
  for (const rule of [...rules(1e9 + 1), ...rules(-1e9 - 0.5)]) {
    const answer = read(rule);
    assert.ok("problem" in answer, JSON.stringify(rule));
    assert.match(answer.problem, /Value must be between -1\.0E9 and 1\.0E9, inclusive/);
  }
});

const values = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

test("combinations are counted as AWS counts them", () => {
  const complex = { problem: "FilterPolicy: Filter policy is too complex" };
  const keys = { problem: "FilterPolicy: Filter policy can not have more than 5 keys" };
  const read = (policy: object, scope: FilterScope = "MessageAttributes") =>
    readFilterPolicy(JSON.stringify(policy), scope);
  assert.deepEqual(read({ a: values("v", 151) }), complex);
  assert.ok("policy" in read({ a: values("v", 150) }));
  assert.deepEqual(read({ a: values("v", 100), b: values("v", 51) }), complex);
  const six = Object.fromEntries(values("k", 6).map((key) => [key, ["v"]]));
  assert.deepEqual(read(six), keys);
  const nested = { a: { b: { c: values("v", 4) } }, d: { e: values("v", 3) } };
  assert.ok("policy" in read(nested, "MessageBody"), "3 x 4 x 2 x 3 = 72");
  assert.deepEqual(read({ ...nested, f: values("v", 3) }, "MessageBody"), complex, "216");
  const either = (sources: number, names: number, spaces: number) => ({
    source: values("s", sources),
    $or: [
      { metricName: values("m", names) },
      {
        metricType: values("t", 4),
        $or: [{ metricId: [1, 2, 3, 4] }, { spaceId: values("p", spaces) }],
      },
    ],
  });
  assert.deepEqual(read(either(4, 6, 4)), complex, "24 + 64 + 64 = 152");
  assert.ok("policy" in read(either(3, 6, 7)), "18 + 48 + 84 = 150");
});

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

test("Subscribe and SetSubscriptionAttributes differ in their prefix", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "refusing");
  const FilterPolicy = '{"a":"b"}';
  await invalid(
    sns.subscribe({
      TopicArn,
      Protocol: "sms",
      Endpoint: "+123123123",
      Attributes: { FilterPolicy },
    }),
    /^Invalid parameter: Attributes Reason: FilterPolicy: "a" must be an object or an array\n at /,
  );
  const { subscriptionArn: SubscriptionArn } = await subscribeQueue(scene, TopicArn, "refusing");
  const set = (AttributeValue: string) =>
    sns.setSubscriptionAttributes({
      SubscriptionArn,
      AttributeName: "FilterPolicy",
      AttributeValue,
    });
  await invalid(set(FilterPolicy), /^Invalid parameter: FilterPolicy: "a" must be/);
  await invalid(set("{"), /^Invalid parameter: FilterPolicy: failed to parse JSON\. /);
  await invalid(
    set('{"a":{"b":["c"]}}'),
    "Filter policy scope MessageAttributes does not support nested filter policy",
  );
});

test("both scopes let through what they name, at once, and everything else is counted", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "filtered");
  const all = await subscribeQueue(scene, TopicArn, "filtered-all", { raw: true });
  const byName = await subscribeQueue(scene, TopicArn, "filtered-name", { raw: true });
  const byBody = await subscribeQueue(scene, TopicArn, "filtered-body", { raw: true });
  const set = (SubscriptionArn: string, AttributeName: string, AttributeValue: string) =>
    sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue });
  await set(byName.subscriptionArn, "FilterPolicy", '{"kind":["order"]}');
  await set(byBody.subscriptionArn, "FilterPolicyScope", "MessageBody");
  await set(byBody.subscriptionArn, "FilterPolicy", '{"total":[{"numeric":[">",10]}]}');
  const order = { kind: { DataType: "String", StringValue: "order" } };
  await sns.publish({ TopicArn, Message: "plain" });
  await sns.publish({ TopicArn, Message: '{"total":11}', MessageAttributes: order });
  await sns.publish({ TopicArn, Message: '{"total":9}' });
  const bodies = async (queue: typeof all) => (await queue.drain()).map(({ body }) => body).sort();
  assert.deepEqual(await bodies(all), ["plain", '{"total":11}', '{"total":9}'].sort());
  assert.deepEqual(await bodies(byName), ['{"total":11}']);
  assert.deepEqual(await bodies(byBody), ['{"total":11}']);
  const answer = await scene.server.send({
    service: "sealpost",
    method: "GET",
    path: "/_sealpost/metrics",
    unsigned: true,
  });
  const count = (metric: string) =>
    Number(
      new RegExp(
        `sealpost_sns_metric_total\\{topic="${TopicArn}",metric="${metric}"\\} (\\d+)`,
      ).exec(answer.body)?.[1],
    );
  assert.equal(count("NumberOfMessagesPublished"), 3);
  assert.equal(count("NumberOfNotificationsDelivered"), 5);
  assert.equal(count("NumberOfNotificationsFilteredOut"), 4);
  assert.equal(count("NumberOfNotificationsFilteredOut-MessageAttributes"), 2);
  assert.equal(count("NumberOfNotificationsFilteredOut-NoMessageAttributes"), 2);
  assert.equal(count("NumberOfNotificationsFilteredOut-MessageBody"), 2);
  assert.equal(count("NumberOfNotificationsFilteredOut-InvalidMessageBody"), 1);
  await set(byName.subscriptionArn, "FilterPolicy", "{}");
  await set(byBody.subscriptionArn, "FilterPolicy", "");
  await sns.publish({ TopicArn, Message: "again" });
  assert.deepEqual(await bodies(byName), ["again"]);
  assert.deepEqual(await bodies(byBody), ["again"]);
});
