// Goal: whoever reads what was not delivered reads also what mends it, does so, and has it sent
// again. Method: real queues and keys that lack one right each; what `doctor undelivered` says is
// pasted; `sealpost redeliver` sends again. The twin is a redelivery before the mending.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Missing } from "../../src/doctor/hop.ts";
import { run } from "../cli/support.ts";
import {
  bodies,
  delegateTo,
  newScene,
  type Scene,
  type SceneQueue,
  snsMayUseKey,
  topicMaySend,
} from "../encryption/scene.ts";
import { denied, doctor, doctorText, paste, path } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

interface Notification {
  readonly messageId: string;
  readonly reasons: readonly string[];
  readonly missing?: Missing;
  readonly alsoMissing?: readonly Missing[];
}

async function undelivered(topic: string): Promise<readonly Notification[]> {
  const argv = ["undelivered", "--topic", topic];
  const { answer } = await doctor<{ notifications: readonly Notification[] }>(
    scene.server,
    ...argv,
  );
  return answer.notifications;
}

async function redeliver(...flags: readonly string[]): Promise<string> {
  const { dataFolder } = scene.server;
  const io = { now: () => Date.now() };
  const argv = ["redeliver", "--data", dataFolder, ...flags];
  const { code, out, err } = await run(argv, { workingDirectory: dataFolder, io });
  assert.equal(code, 0, err);
  await scene.server.advance(1);
  return out;
}

const received = (queue: SceneQueue) => bodies(scene.server.rootClients, queue);
const publish = (TopicArn: string, Message: string) =>
  scene.server.rootClients.sns.publish({ TopicArn, Message });

test("the queue's policy and its key's: both statements are named, pasted, and enough", async () => {
  const topic = await scene.topic("both");
  const key = await scene.key("both", delegateTo(scene.accountId));
  const queue = await scene.queue("both", { KmsMasterKeyId: key.alias });
  await scene.subscribe(topic, queue, { withoutPolicy: true });
  await publish(topic, "late");
  const [one, ...more] = await undelivered(topic);
  assert.ok(one?.missing && one.alsoMissing?.[0]);
  assert.equal(more.length, 0);
  assert.equal(one.reasons.length, 2);
  assert.deepEqual(
    [one.missing.attachTo, one.alsoMissing[0].attachTo],
    [`queue policy of ${queue.arn}`, `key policy of ${key.arn}`],
  );
  const text = await doctorText(scene.server, "undelivered", "--topic", topic);
  assert.match(text, /add to the queue policy of[\s\S]*add to the key policy of/);
  assert.match(text, new RegExp(`sealpost redeliver --message ${one.messageId}`));
  assert.match(await redeliver("--topic", topic), /^1 given-up notification/);
  assert.equal((await undelivered(topic)).length, 1, "the twin: nothing is mended yet");
  await paste(scene.server.rootClients, one.missing);
  await paste(scene.server.rootClients, one.alsoMissing[0]);
  const [mended] = await undelivered(topic);
  assert.deepEqual(mended?.reasons, [], "nothing hinders it any more");
  assert.equal(mended?.missing, undefined);
  await redeliver("--message", one.messageId);
  assert.deepEqual(await received(queue), ["late"]);
  assert.deepEqual(await undelivered(topic), []);
});

test("a dead-letter queue that lets nothing in is named beside the queue", async () => {
  const topic = await scene.topic("dead");
  const queue = await scene.queue("dead");
  const key = await scene.key("dead-letters", delegateTo(scene.accountId));
  const letters = await scene.queue("dead-letters", { KmsMasterKeyId: key.alias });
  await scene.setQueue(letters, { Policy: topicMaySend(topic, letters) });
  const SubscriptionArn = await scene.subscribe(topic, queue, { withoutPolicy: true });
  await scene.server.rootClients.sns.setSubscriptionAttributes({
    SubscriptionArn,
    AttributeName: "RedrivePolicy",
    AttributeValue: JSON.stringify({ deadLetterTargetArn: letters.arn }),
  });
  await publish(topic, "lost?");
  const [one] = await undelivered(topic);
  assert.deepEqual(
    [one?.missing?.attachTo, one?.alsoMissing?.[0]?.attachTo],
    [`queue policy of ${queue.arn}`, `key policy of ${key.arn}`],
  );
  const hops = denied(await path(scene.server, topic));
  assert.deepEqual(
    hops.map(({ to }) => to),
    [queue.arn, key.arn],
    "doctor path knows the dead-letter queue as well",
  );
  await scene.setKeyPolicy(key, delegateTo(scene.accountId), snsMayUseKey());
  await redeliver("--topic", topic);
  assert.deepEqual(
    await received(letters),
    ["lost?"],
    "the queue still refuses, its twin takes it",
  );
  assert.deepEqual(await undelivered(topic), []);
});

test("the topic's own key: what waits for it says so", async () => {
  const key = await scene.key("own", delegateTo(scene.accountId));
  const topic = await scene.topic("own", { KmsMasterKeyId: key.alias });
  const queue = await scene.queue("own");
  await scene.subscribe(topic, queue, { withoutPolicy: true });
  await publish(topic, "waits");
  const [one] = await undelivered(topic);
  assert.deepEqual(
    [one?.missing?.attachTo, one?.alsoMissing?.[0]?.attachTo],
    [`key policy of ${key.arn}`, `queue policy of ${queue.arn}`],
  );
});
