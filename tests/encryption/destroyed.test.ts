// Goal: a destroyed key is destroyed: what it sealed opens for nobody, and its material is in no
// file of the data folder any more. Method: two keys with the same life, one is scheduled for
// deletion and its waiting period passes on the virtual clock; files are searched byte by byte.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { UnopenableMessages } from "../../src/doctor/unopenable.ts";
import { doctor, doctorText } from "../doctor/scene.ts";
import { recordContents } from "./database.ts";
import { filesWith } from "./files.ts";
import { bodies, newScene, refuses, type Scene, type SceneKey } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const weekSeconds = 7 * 86_400;
const root = () => scene.server.rootClients;

test("at the end of the waiting period the material is gone, its data keys with it", async () => {
  const pair = await Promise.all(
    ["destroyed", "spared"].map(async (name) => {
      const key = await scene.key(name);
      const queue = await scene.queue(name, {
        KmsMasterKeyId: key.alias,
        KmsDataKeyReusePeriodSeconds: "86400",
        MessageRetentionPeriod: "1209600",
      });
      await root().sqs.sendMessage({ QueueUrl: queue.url, MessageBody: name });
      const Plaintext = Buffer.from("kept aside");
      const { CiphertextBlob } = await root().kms.encrypt({ KeyId: key.id, Plaintext });
      return { key, queue, CiphertextBlob };
    }),
  );
  const [destroyed, spared] = pair;
  assert.ok(destroyed && spared);
  const KeyId = destroyed.key.id;
  await root().kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  await scene.server.advance(weekSeconds - 600);
  const { CiphertextBlob } = destroyed;
  await refuses(root().kms.decrypt({ CiphertextBlob }), "KMSInvalidStateException");
  await refuses(bodies(root(), destroyed.queue), "KmsInvalidState");
  // Until the very end it can be taken back.
  await root().kms.cancelKeyDeletion({ KeyId });
  await root().kms.enableKey({ KeyId });
  assert.deepEqual(await bodies(root(), destroyed.queue), ["destroyed"]);
  await root().kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  const wrapped = await wrappedMaterials(pair.map(({ key }) => key));
  for (const material of wrapped) {
    assert.notDeepEqual(filesWith(scene.server.dataFolder, [material]), [], "the search finds it");
  }
  await scene.server.advance(weekSeconds);

  const unknown = /ciphertext refers to a customer master key that does not exist/;
  await refuses(root().kms.decrypt({ CiphertextBlob }), "AccessDeniedException", unknown);
  await refuses(root().kms.cancelKeyDeletion({ KeyId }), "NotFoundException");
  await refuses(bodies(root(), destroyed.queue), "KmsAccessDenied", unknown);
  const [deleted] = await scene.events({ name: "DeleteKey" });
  assert.equal(deleted?.resources?.[0]?.ARN, destroyed.key.arn);
  assert.deepEqual(await bodies(root(), spared.queue), ["spared"], "the twin");
  const { Plaintext } = await root().kms.decrypt({ CiphertextBlob: spared.CiphertextBlob });
  assert.equal(Buffer.from(Plaintext ?? []).toString(), "kept aside");

  const [gone, kept] = wrapped;
  assert.ok(gone && kept);
  assert.deepEqual(filesWith(scene.server.dataFolder, [gone]), [], "while the server runs");
  assert.notDeepEqual(filesWith(scene.server.dataFolder, [kept]), [], "the twin's material stays");
  await scene.restart();
  assert.deepEqual(filesWith(scene.server.dataFolder, [gone]), [], "and after a restart");
  await refuses(bodies(root(), destroyed.queue), "KmsAccessDenied", unknown);
});

test("what lies under a key that is no more is listed, counts its receives and leaves", async () => {
  const [lost, other] = await Promise.all([scene.key("lost"), scene.key("other")]);
  const dead = await scene.queue("lost-dead", {});
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
  const retention = { MessageRetentionPeriod: "1209600" };
  const queue = await scene.queue("lost", {
    KmsMasterKeyId: lost.alias,
    RedrivePolicy,
    ...retention,
  });
  const QueueUrl = queue.url;
  for (const MessageBody of ["one", "two"]) await root().sqs.sendMessage({ QueueUrl, MessageBody });
  const listed = async () => {
    const { answer } = await doctor<{ unopenable: readonly UnopenableMessages[] }>(
      scene.server,
      "unopenable",
    );
    return answer.unopenable.filter(({ keyArn }) => keyArn === lost.arn);
  };
  assert.deepEqual(await listed(), []);
  await root().kms.scheduleKeyDeletion({ KeyId: lost.id, PendingWindowInDays: 7 });
  const [waiting] = await listed();
  assert.equal(waiting?.forEver, false);
  assert.match(waiting?.reason ?? "", /is pending deletion .* kms:CancelKeyDeletion/);
  await scene.server.advance(weekSeconds);
  const [found] = await listed();
  const { queueArn, messages, forEver, oldestSentAt } = found ?? {};
  assert.deepEqual([queueArn, messages, forEver], [queue.arn, 2, true]);
  assert.match(oldestSentAt ?? "", /^\d{4}-.*Z$/);

  const text = await doctorText(scene.server, "unopenable");
  assert.match(
    text,
    /lost {2}2 messages\n {4}the oldest was sent at .*\n {4}\S+\s+is no more: they open for/,
  );

  // A consumer of one at a time meets them until they are dead letters; the others come through.
  await scene.setQueue(queue, { KmsMasterKeyId: other.alias });
  const one = () => root().sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 30 });
  for (const MessageBody of ["three", "four", "five"]) {
    await root().sqs.sendMessage({ QueueUrl, MessageBody });
    const [got] = (await one()).Messages ?? [];
    assert.equal(got?.Body, MessageBody);
    await root().sqs.deleteMessage({ QueueUrl, ReceiptHandle: got?.ReceiptHandle });
    await scene.server.advance(30);
  }
  assert.deepEqual((await one()).Messages, undefined);
  const [atRest] = await listed();
  assert.deepEqual([atRest?.queueArn, atRest?.messages], [dead.arn, 2], "dead letters, as sealed");
  await root().sqs.purgeQueue({ QueueUrl: dead.url });
  assert.deepEqual(await listed(), []);
});

/** The wrapped materials as they stand in the database, read while the server is down. */
async function wrappedMaterials(keys: readonly SceneKey[]): Promise<readonly Buffer[]> {
  let found: readonly Buffer[] = [];
  await scene.restart((dataFolder) => {
    const contents = recordContents(dataFolder, "kms.key");
    found = keys.map(({ id }) => {
      const content = contents.get(id) ?? "{}";
      const { materials = [] } = JSON.parse(content) as { materials?: { wrapped: string }[] };
      return Buffer.from(materials[0]?.wrapped ?? "");
    });
  });
  assert.ok(found.every((material) => material.length > 40));
  return found;
}
