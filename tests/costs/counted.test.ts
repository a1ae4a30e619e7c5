// Goal: AWS's formula for topics holds to the request: 31 days with one publisher are 17,856, and
// 28 days with two topics of 3 and 5 publishers 129,024. Method: a server under the virtual clock;
// everybody publishes once in each 300 s; the audit is counted by `sealpost cost`. Six hours
// take the place of the months, which SEALPOST_TEST_LONG=1 runs in full.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../cli/support.ts";
import { newScene, type Scene } from "../encryption/scene.ts";

const long = process.env.SEALPOST_TEST_LONG === "1";
const periodSeconds = 300;
let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

interface Figures {
  readonly predictedRequests: number;
  readonly countedRequests: number;
  readonly prices: { readonly predicted: number; readonly counted: number };
}

interface Row extends Figures {
  readonly resource: string;
  readonly producers: number;
  readonly consumers: number;
  readonly basis: string;
  readonly here?: { readonly predictedRequests: number };
  readonly principals: readonly (Figures & {
    readonly principal: string;
    readonly roles: string[];
  })[];
}

interface Answer extends Figures {
  readonly keyPrice: number;
  readonly failed: number;
  readonly resources: readonly Row[];
  readonly keys: readonly (Row & { readonly key: string; readonly keyPrice: number })[];
}

async function costText(...flags: readonly string[]): Promise<string> {
  const { dataFolder } = scene.server;
  const io = { now: () => Date.now() };
  const done = await run(["cost", "--data", dataFolder, ...flags], {
    workingDirectory: join(dataFolder, ".."),
    io,
  });
  assert.equal(done.code, 0, done.err);
  return done.out;
}

const cost = async (...flags: readonly string[]): Promise<Answer> =>
  JSON.parse(await costText(...flags, "--format", "json"));

async function publishers(prefix: string, count: number) {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const rights = { Action: ["sns:Publish", "kms:GenerateDataKey", "kms:Decrypt"] };
  return Promise.all(names.map((name) => scene.user(name, rights)));
}

type Publishers = Awaited<ReturnType<typeof publishers>>;

/** Everybody publishes once in each period of a data key, for so many days. */
async function use(days: number, topics: ReadonlyMap<string, Publishers>): Promise<void> {
  for (let period = 0; period < (days * 86_400) / periodSeconds; period += 1) {
    for (const [TopicArn, users] of topics) {
      await Promise.all(
        users.map(({ clients }) => clients.sns.publish({ TopicArn, Message: "m" })),
      );
    }
    await scene.server.advance(periodSeconds);
  }
}

test(`${long ? "31 days" : "6 hours"}, a topic, a publisher`, async () => {
  const days = long ? 31 : 0.25;
  const expected = long ? 17_856 : 144;
  const key = await scene.key("one");
  const topicArn = await scene.topic("one", { KmsMasterKeyId: key.alias });
  const users = await publishers("one", 1);
  const before = await cost("--topic", topicArn, "--period", `${days * 24}h`);
  assert.equal(before.resources[0]?.basis, "allowed");
  assert.equal(before.predictedRequests, expected, "known before anybody has published");
  assert.equal(before.countedRequests, 0);
  await use(days, new Map([[topicArn, users]]));
  const answer = await cost("--topic", topicArn, "--period", `${days * 24}h`);
  assert.equal(answer.predictedRequests, expected);
  assert.equal(answer.countedRequests, expected);
  const [row] = answer.resources;
  assert.equal(row?.basis, "seen");
  const [publisher] = row?.principals ?? [];
  assert.deepEqual(publisher?.roles, ["publisher"]);
  assert.equal(publisher?.countedRequests, expected);
  assert.equal(publisher?.principal, users[0]?.arn);
  const text = await costText("--topic", topicArn, "--period", `${days * 24}h`);
  const shown = long ? "17,856 ($0.0536)" : "144 ($0.0004)";
  assert.ok(text.includes(`predicted ${shown}  counted ${shown}`), text);
});

test(`${long ? "28 days" : "6 hours"}, topics of 3 and 5 publishers`, async () => {
  const days = long ? 28 : 0.25;
  const expected = long ? 129_024 : 1_152;
  const key = await scene.key("two");
  const [three, five] = await Promise.all(
    ["three", "five"].map((name) => scene.topic(name, { KmsMasterKeyId: key.alias })),
  );
  const topics = new Map([
    [three ?? "", await publishers("three", 3)],
    [five ?? "", await publishers("five", 5)],
  ]);
  await use(days, topics);
  const answer = await cost("--key", key.arn, "--period", `${days * 24}h`);
  assert.equal(answer.predictedRequests, expected);
  const counted = answer.resources.map(({ countedRequests }) => countedRequests);
  assert.equal(counted[0], (expected / 8) * (answer.resources[0]?.resource === three ? 3 : 5));
  assert.equal((counted[0] ?? 0) + (counted[1] ?? 0), expected);
  for (const { principals } of answer.resources) {
    for (const each of principals) assert.equal(each.countedRequests, expected / 8);
  }
  assert.equal(answer.keys[0]?.key, key.arn);
  assert.ok((answer.keys[0]?.keyPrice ?? 0) > 0);
});

test("a queue shows AWS's formula beside what is asked for here", async () => {
  const key = await scene.key("queue");
  const queue = await scene.queue("queue", { KmsMasterKeyId: key.alias });
  const rights = { Action: ["sqs:*", "kms:GenerateDataKey", "kms:Decrypt"] };
  const [one, two, reader] = await Promise.all(
    ["q-one", "q-two", "q-reader"].map((name) => scene.user(name, rights)),
  );
  const poor = await scene.user("q-poor", { Action: "sqs:*" });
  const { url: QueueUrl } = queue;
  const send = { QueueUrl, MessageBody: "m" };
  const take = async (by: typeof reader) => {
    const { Messages = [] } =
      (await by?.clients.sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })) ?? {};
    for (const { ReceiptHandle } of Messages) {
      await by?.clients.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  };
  for (let hour = 0; hour < 12; hour += 1) {
    await one?.clients.sqs.sendMessage(send);
    await two?.clients.sqs.sendMessage(send);
    for (const _ of [1, 2]) await take(reader);
    await scene.server.advance(periodSeconds);
  }
  await assert.rejects(async () => poor.clients.sqs.sendMessage(send));
  const answer = await cost("--queue", queue.arn, "--period", "1h");
  const [row] = answer.resources;
  assert.equal(row?.producers, 2);
  assert.equal(row?.consumers, 1);
  assert.equal(row?.predictedRequests, 12 * 5);
  assert.equal(row?.here?.predictedRequests, 12 * 4);
  assert.equal(row?.countedRequests, 12 * 4);
  assert.equal(answer.failed, 1, "what was denied is told apart");
  const priced = await cost(
    ...["--queue", queue.arn, "--period", "1h", "--request-price", "10000", "--key-price", "730"],
  );
  assert.equal(priced.prices.counted, 48);
  assert.equal(priced.keyPrice, 1);
});

test("a delivery that is late counts apart from the publishers", async () => {
  const key = await scene.key("late");
  const topicArn = await scene.topic("late", { KmsMasterKeyId: key.alias });
  const queue = await scene.queue("late");
  await scene.subscribe(topicArn, queue, { withoutPolicy: true });
  const [user] = await publishers("late", 1);
  await scene.setKeyPolicy(
    key,
    { Principal: { AWS: `arn:aws:iam::${scene.accountId}:root` }, Action: "kms:*" },
    { Principal: { Service: "sns.amazonaws.com" }, Action: "kms:Decrypt" },
  );
  await user?.clients.sns.publish({ TopicArn: topicArn, Message: "m" });
  await scene.server.advance(600);
  const redeliver = { method: "POST", path: "/_sealpost/redeliver", body: "{}" };
  await scene.server.send({ service: "sealpost", ...redeliver });
  await scene.server.advance(1);
  const { resources } = await cost("--topic", topicArn, "--period", "1h");
  const [row] = resources;
  assert.equal(row?.producers, 1, "SNS that carries is no publisher");
  assert.deepEqual(
    row?.principals.map(({ principal, roles, countedRequests }) => [
      principal,
      roles[0],
      countedRequests,
    ]),
    [
      [user?.arn, "publisher", 2],
      ["sns.amazonaws.com", "delivery", 1],
    ],
  );
});

test("without a name: all of the account; what cannot be meant is refused", async () => {
  const all = await cost();
  assert.ok(all.resources.length >= 5);
  assert.ok(all.countedRequests > 0);
  const plain = await scene.topic("plain");
  const refused = async (text: RegExp, ...flags: readonly string[]) => {
    const { dataFolder: workingDirectory } = scene.server;
    const io = { now: () => Date.now() };
    const done = await run(["cost", "--data", ".", ...flags], { workingDirectory, io });
    assert.notEqual(done.code, 0);
    assert.match(done.err, text);
  };
  await refused(/has no SSE-KMS/, "--topic", plain);
  await refused(/there is no topic/, "--topic", `${plain}-none`);
  await refused(/there is no key/, "--key", "alias/none");
  await refused(/give one of topic, queue/, "--topic", plain, "--queue", plain);
  await refused(/2026-01/, "--period", "soon");
  await refused(/a price is a number/, "--request-price", "cheap");
});
