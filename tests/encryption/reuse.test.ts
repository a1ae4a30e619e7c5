// Goal: a data key is asked for exactly once per (resource, requester) and period, so that AWS's
// cost formulas hold; what is revoked bites at the end of the period, what is destroyed at once.
// Method: the virtual clock moves, the audit is counted. (That age = period is old, to the
// millisecond, is in data-key-cache.test.ts: this clock also runs with the machine's.)
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  bodies,
  newScene,
  received,
  refuses,
  type Scene,
  type SceneQueue,
  type Statement,
} from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const messaging: Statement = { Action: ["sqs:*", "sns:*"] };
const allKms: Statement = { Action: "kms:*" };
const root = () => scene.server.rootClients;
type User = Awaited<ReturnType<Scene["user"]>>;
const send = ({ clients }: Pick<User, "clients">, { url: QueueUrl }: SceneQueue, body = "m") =>
  clients.sqs.sendMessage({ QueueUrl, MessageBody: body });
const publish = ({ clients }: Pick<User, "clients">, TopicArn: string) =>
  clients.sns.publish({ TopicArn, Message: "m" });

/** KMS calls for a resource so far: [GenerateDataKey, Decrypt]. */
async function calls(contextArn: string, user?: string): Promise<readonly [number, number]> {
  const by = user === undefined ? {} : { user };
  const generated = await scene.events({ name: "GenerateDataKey", contextArn, ...by });
  const decrypted = await scene.events({ name: "Decrypt", contextArn, ...by });
  return [generated.length, decrypted.length];
}

for (const seconds of [60, 300]) {
  test(`a queue with a period of ${seconds} s asks once per period and requester`, async () => {
    const key = await scene.key(`period-${seconds}`);
    const queue = await scene.queue(`period-${seconds}`, {
      KmsMasterKeyId: key.alias,
      KmsDataKeyReusePeriodSeconds: String(seconds),
    });
    const users = await Promise.all(
      ["p", "q"].map((name) => scene.user(`${name}-${seconds}`, messaging, allKms)),
    );
    const sendAll = () =>
      Promise.all(users.flatMap((user) => [send(user, queue), send(user, queue)]));
    await sendAll();
    await sendAll();
    assert.deepEqual(await calls(queue.arn), [2, 0], "once for each of two, none shared");
    await scene.server.advance(seconds - 20);
    await sendAll();
    assert.deepEqual(await calls(queue.arn), [2, 0], "still young");
    await scene.server.advance(20);
    await sendAll();
    assert.deepEqual(await calls(queue.arn), [4, 0], "old at the end of the period");
    assert.deepEqual(await calls(queue.arn, `p-${seconds}`), [2, 0]);
  });
}

test("without an attribute the period is 300 s; a batch of ten costs what one message costs", async () => {
  const key = await scene.key("preset");
  const queue = await scene.queue("preset", { KmsMasterKeyId: key.id });
  const Entries = Array.from({ length: 10 }, (_, i) => ({ Id: `${i}`, MessageBody: "m" }));
  const batch = () => root().sqs.sendMessageBatch({ QueueUrl: queue.url, Entries });
  await batch();
  await scene.server.advance(280);
  await batch();
  assert.deepEqual(await calls(queue.arn), [1, 0]);
  await scene.server.advance(20);
  await batch();
  assert.deepEqual(await calls(queue.arn), [2, 0]);
});

test("receiving has its own cache: one Decrypt per data key, consumer and period", async () => {
  const key = await scene.key("receiving");
  const queue = await scene.queue("receiving", {
    KmsMasterKeyId: key.alias,
    KmsDataKeyReusePeriodSeconds: "60",
  });
  const producer = await scene.user("r-producer", messaging, allKms);
  const consumers = [
    await scene.user("r-one", messaging, allKms),
    await scene.user("r-two", messaging, allKms),
  ];
  await Promise.all([send(producer, queue), send(producer, queue), send(producer, queue)]);
  for (const { clients } of consumers) {
    assert.equal((await bodies(clients, queue)).length, 3);
    assert.equal((await bodies(clients, queue)).length, 3);
  }
  assert.deepEqual(await calls(queue.arn), [1, 2]);
  assert.equal((await bodies(producer.clients, queue)).length, 3);
  assert.deepEqual(await calls(queue.arn), [1, 3], "the sender's own data key opens nothing");
  await scene.server.advance(60);
  for (const { clients } of consumers) await bodies(clients, queue);
  assert.deepEqual(await calls(queue.arn), [1, 5], "once more each");
});

test("R = B / D × 2 × P over an hour on a topic, whatever is published, and 2 × P + C on its queue", async () => {
  const key = await scene.key("formula");
  const topicArn = await scene.topic("formula", { KmsMasterKeyId: key.alias });
  const other = await scene.topic("formula-other", { KmsMasterKeyId: key.alias });
  const open = await scene.queue("formula-open");
  await scene.subscribe(topicArn, open);
  const publishers = await Promise.all(
    ["f-1", "f-2", "f-3"].map((name) => scene.user(name, messaging, allKms)),
  );
  const [first] = publishers;
  assert.ok(first);
  const hourSeconds = 3600;
  const periodSeconds = 300;
  for (let at = 0; at < hourSeconds; at += periodSeconds / 2) {
    await Promise.all(
      publishers.flatMap((one) => [publish(one, topicArn), publish(one, topicArn)]),
    );
    await publish(first, other);
    await scene.server.advance(periodSeconds / 2);
  }
  const perPublisher = hourSeconds / periodSeconds;
  assert.deepEqual(
    await calls(topicArn),
    [perPublisher * 3, perPublisher * 3],
    "R = 72 = 3600/300×2×3",
  );
  assert.deepEqual(await calls(topicArn, "f-2"), [perPublisher, perPublisher]);
  assert.deepEqual(await calls(other), [perPublisher, perPublisher], "topics share nothing");
});

test("a queue behind a topic costs one GenerateDataKey per period, as sns.amazonaws.com", async () => {
  const key = await scene.key(
    "fan",
    { Principal: { AWS: `arn:aws:iam::${scene.accountId}:root` }, Action: "kms:*" },
    {
      Principal: { Service: "sns.amazonaws.com" },
      Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    },
  );
  const topicArn = await scene.topic("fan", { KmsMasterKeyId: key.alias });
  const queue = await scene.queue("fan", { KmsMasterKeyId: key.alias });
  await scene.subscribe(topicArn, queue);
  const one = await scene.user("fan-1", messaging, allKms);
  const two = await scene.user("fan-2", messaging, allKms);
  for (const user of [one, two, one, two]) await publish(user, topicArn);
  assert.deepEqual(await calls(topicArn), [2, 2]);
  assert.deepEqual(
    await calls(queue.arn),
    [1, 0],
    "both publishers' deliveries have one requester",
  );
  await scene.server.advance(300);
  for (const user of [one, two]) await publish(user, topicArn);
  assert.deepEqual(
    [await calls(topicArn), await calls(queue.arn)],
    [
      [4, 4],
      [2, 0],
    ],
  );
});

test("a revoked right bites at the end of the period, not before", async () => {
  const key = await scene.key("revoked");
  const queue = await scene.queue("revoked", { KmsMasterKeyId: key.alias });
  const topicArn = await scene.topic("revoked", { KmsMasterKeyId: key.alias });
  const user = await scene.user("revoked", messaging, allKms);
  const kept = await scene.user("kept", messaging, allKms);
  for (const each of [user, kept]) await Promise.all([send(each, queue), publish(each, topicArn)]);
  assert.equal((await bodies(user.clients, queue)).length, 2);
  await root().iam.putUserPolicy({
    UserName: "revoked",
    PolicyName: "test",
    PolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", ...messaging, Resource: "*" },
    }),
  });
  await scene.server.advance(270);
  await Promise.all([send(user, queue), publish(user, topicArn)]);
  assert.equal((await bodies(user.clients, queue)).length, 3);
  await scene.server.advance(30);
  await refuses(send(user, queue), "KmsAccessDenied", /kms:GenerateDataKey/);
  await refuses(publish(user, topicArn), "KMSAccessDeniedException", /kms:GenerateDataKey/);
  await refuses(bodies(user.clients, queue), "KmsAccessDenied", /kms:Decrypt/);
  await Promise.all([send(kept, queue), publish(kept, topicArn)]);
  assert.equal(
    (await bodies(kept.clients, queue)).length,
    4,
    "the twin goes on, and nothing is lost",
  );
});

test("a right that was never there is not lent by another's cached key", async () => {
  const key = await scene.key("lent");
  const queue = await scene.queue("lent", { KmsMasterKeyId: key.alias });
  const rich = await scene.user("rich", messaging, allKms);
  const poor = await scene.user("poor", messaging);
  await send(rich, queue);
  await bodies(rich.clients, queue);
  await refuses(send(poor, queue), "KmsAccessDenied");
  await refuses(bodies(poor.clients, queue), "KmsAccessDenied");
});

test("a user who was deleted and made again is another requester", async () => {
  const key = await scene.key("again");
  const queue = await scene.queue("again", { KmsMasterKeyId: key.alias });
  const before = await scene.user("again", messaging, allKms);
  await send(before, queue);
  const { iam } = root();
  await iam.deleteAccessKey({ UserName: "again", AccessKeyId: before.accessKeyId });
  await iam.deleteUserPolicy({ UserName: "again", PolicyName: "test" });
  await iam.deleteUser({ UserName: "again" });
  const now = await scene.user("again", messaging);
  await refuses(send(now, queue), "KmsAccessDenied");
});

test("a disabled key: what is cached works to the end of the period", async () => {
  const key = await scene.key("off-later");
  const queue = await scene.queue("off-later", { KmsMasterKeyId: key.alias });
  const topicArn = await scene.topic("off-later", { KmsMasterKeyId: key.alias });
  const open = await scene.queue("off-later-open");
  await scene.subscribe(topicArn, open);
  const by = { clients: root() };
  await Promise.all([send(by, queue), publish(by, topicArn)]);
  await bodies(root(), queue);
  await root().kms.disableKey({ KeyId: key.id });
  await scene.server.advance(270);
  await Promise.all([send(by, queue), publish(by, topicArn)]);
  assert.equal((await bodies(root(), queue)).length, 2);
  await scene.server.advance(30);
  await refuses(send(by, queue), "KmsDisabled");
  await refuses(bodies(root(), queue), "KmsDisabled");
  await refuses(publish(by, topicArn), "KMSDisabledException");
  assert.equal((await bodies(root(), open)).length, 2, "what went out before is there");
  await root().kms.enableKey({ KeyId: key.id });
  const counts = (await received(root(), queue)).map(([, count]) => count);
  assert.deepEqual(counts.sort(), ["2", "3"], "refused receives do not count");
});
