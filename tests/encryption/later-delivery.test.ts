// Goal: a notification that waits is delivered later with rights that the usual key policies give:
// the topic's key need not admit sns.amazonaws.com, just as it need not for delivery at once. A
// topic key that says no, by state or by an explicit denial, makes it wait and never drops it.
// Method: a delivery that failed is made due again in the database, as after a failure of the
// server; the clock moves. The queue refuses first, so that the publish leaves something behind.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { withDatabase } from "./database.ts";
import { bodies, delegateTo, newScene, type Scene, snsMayUseKey, topicMaySend } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const waitSeconds = 61;

/** A topic whose message to a queue failed once; the queue takes it from now on. */
async function failedOnce(name: string, KmsMasterKeyId: string) {
  const topic = await scene.topic(name, { KmsMasterKeyId });
  const queue = await scene.queue(name);
  const subscription = await scene.subscribe(topic, queue, { withoutPolicy: true });
  await scene.server.rootClients.sns.publish({ TopicArn: topic, Message: name });
  await scene.setQueue(queue, { Policy: topicMaySend(topic, queue) });
  return { topic, queue, subscription };
}

async function makeAllDue(): Promise<void> {
  await scene.restart((dataFolder) =>
    withDatabase(dataFolder, (database) =>
      database.exec("UPDATE undelivered SET next_attempt_ms = 1 WHERE next_attempt_ms IS NULL"),
    ),
  );
}

test("a topic key that nobody but the account may use, and alias/aws/sns", async () => {
  const key = await scene.key("account-only", delegateTo(scene.accountId));
  const own = await failedOnce("account-only", key.alias);
  const managed = await failedOnce("managed", "alias/aws/sns");
  await makeAllDue();
  await scene.server.advance(waitSeconds);
  for (const [name, { queue, topic }] of Object.entries({ "account-only": own, managed })) {
    assert.deepEqual(await bodies(scene.server.rootClients, queue), [name]);
    const decrypted = await scene.events({ name: "Decrypt", contextArn: topic });
    const last = decrypted.at(-1);
    assert.deepEqual(last?.userIdentity, { type: "AWSService", invokedBy: "sns.amazonaws.com" });
    assert.equal(last?.errorCode, undefined);
  }
  assert.deepEqual(await scene.undelivered(), []);
});

test("a key that is disabled, or denies SNS by name, makes it wait; then it arrives", async () => {
  const disabled = await scene.key("disabled", delegateTo(scene.accountId), snsMayUseKey());
  const denying = await scene.key("denying", delegateTo(scene.accountId));
  const first = await failedOnce("disabled", disabled.alias);
  const second = await failedOnce("denying", denying.alias);
  await scene.server.rootClients.kms.disableKey({ KeyId: disabled.id });
  const Deny = {
    Effect: "Deny" as const,
    Principal: { Service: "sns.amazonaws.com" },
    Action: "kms:*",
  };
  await scene.setKeyPolicy(denying, delegateTo(scene.accountId), Deny);
  await makeAllDue();
  for (let i = 0; i < 3; i++) await scene.server.advance(waitSeconds);
  const waiting = new Map((await scene.undelivered()).map((one) => [one.topicArn, one]));
  assert.equal(waiting.get(first.topic)?.failureText, `topic key: ${disabled.arn} is disabled.`);
  assert.match(waiting.get(second.topic)?.failureText ?? "", /topic key: .*explicit deny/);
  for (const one of waiting.values()) assert.notEqual(one.nextAttemptAt, null, "it is tried again");
  await scene.server.rootClients.kms.enableKey({ KeyId: disabled.id });
  await scene.setKeyPolicy(denying, delegateTo(scene.accountId));
  await scene.server.advance(waitSeconds);
  assert.deepEqual(await bodies(scene.server.rootClients, first.queue), ["disabled"]);
  assert.deepEqual(await bodies(scene.server.rootClients, second.queue), ["denying"]);
});
