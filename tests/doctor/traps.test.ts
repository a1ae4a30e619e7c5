// Goal: what people search for hours is said in a sentence. Method: each trap is set with real
// clients, seen to hurt, named by doctor, and mended by what doctor offers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Hop } from "../../src/doctor/hop.ts";
import {
  bodies,
  delegateTo,
  newScene,
  refuses,
  type Scene,
  snsMayUseKey,
  topicMaySend,
} from "../encryption/scene.ts";
import { denied, paste, path } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const root = () => scene.server.rootClients;
const deniedOf = async (topic: string, ...more: string[]) =>
  denied(await path(scene.server, topic, ...more));

async function pasteAll(hops: readonly Hop[]): Promise<void> {
  for (const { missing, reason } of hops) {
    assert.ok(missing, reason);
    await paste(root(), missing);
  }
}

test("an alias ARN in Resource grants no use of the key", async () => {
  const key = await scene.key("alias-trap");
  const topic = await scene.topic("alias-trap", { KmsMasterKeyId: key.alias });
  const aliasArn = key.arn.replace(/:key\/.*/, `:${key.alias}`);
  const user = await scene.user(
    "alias-trap",
    { Action: "sns:Publish", Resource: topic },
    { Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: aliasArn },
  );
  const publish = () => user.clients.sns.publish({ TopicArn: topic, Message: "m" });
  await refuses(publish(), "KMSAccessDeniedException");
  const hops = await deniedOf(topic, "--publisher", user.arn);
  assert.deepEqual(
    hops.map(({ action }) => action),
    ["kms:GenerateDataKey", "kms:Decrypt"],
  );
  for (const { reason } of hops) {
    assert.ok(reason.includes(`names ${aliasArn}, but an alias ARN in Resource grants no use`));
  }
  await pasteAll(hops);
  await publish();
  assert.deepEqual(await deniedOf(topic, "--publisher", user.arn), []);
});

test("a condition that does not hold is named with the request's value", async () => {
  const topic = await scene.topic("condition");
  const queue = await scene.queue("condition");
  await scene.subscribe(topic, queue, { withoutPolicy: true });
  await scene.setQueue(queue, { Policy: topicMaySend(`${topic}-other`, queue) });
  const [hop, ...others] = await deniedOf(topic);
  assert.equal(others.length, 0);
  assert.ok(hop);
  assert.ok(
    hop.reason.includes(
      `ArnEquals aws:SourceArn "${topic}-other" does not hold: the request has "${topic}"`,
    ),
    hop.reason,
  );
  assert.deepEqual(hop.missing?.statement, {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queue.arn,
    Condition: { ArnEquals: { "aws:SourceArn": topic } },
  });
  await pasteAll([hop]);
  await root().sns.publish({ TopicArn: topic, Message: "m" });
  assert.deepEqual(await bodies(root(), queue), ["m"]);
});

test("a condition on the queue's encryption context keeps a publisher from the topic", async () => {
  const user = await scene.user("context", { Action: "sns:Publish" });
  const key = await scene.key("context", delegateTo(scene.accountId), {
    Principal: { AWS: user.arn },
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    Condition: { StringLike: { "kms:EncryptionContext:aws:sqs:arn": "*" } },
  });
  const topic = await scene.topic("context", { KmsMasterKeyId: key.alias });
  const [hop] = await deniedOf(topic, "--publisher", user.arn);
  assert.match(hop?.reason ?? "", /the request has no kms:EncryptionContext:aws:sqs:arn/);
});

test("insecure transport: who must come by HTTPS is told, and whom a Deny hits by mistake", async () => {
  const topic = await scene.topic("transport");
  const user = await scene.user("transport", { Action: "sns:Publish", Resource: topic });
  const deny = (secure: boolean) =>
    root().sns.setTopicAttributes({
      TopicArn: topic,
      AttributeName: "Policy",
      AttributeValue: JSON.stringify({
        Version: "2012-10-17",
        Statement: {
          Sid: "transport",
          Effect: "Deny",
          Principal: "*",
          Action: "sns:Publish",
          Resource: topic,
          Condition: { Bool: { "aws:SecureTransport": String(secure) } },
        },
      }),
    });
  const hopOf = async () => (await path(scene.server, topic, "--publisher", user.arn)).hops[0];
  assert.equal((await hopOf())?.reason.includes("HTTPS"), false, "the twin: without the policy");
  await deny(false);
  assert.match(
    (await hopOf())?.reason ?? "",
    /; HTTPS only, by Statement\[0\] "transport" of the topic policy/,
  );
  await deny(true);
  const hop = await hopOf();
  assert.equal(hop?.allowed, false);
  assert.match(hop?.reason ?? "", /Bool aws:SecureTransport "true" holds: the request has true/);
  assert.equal(hop?.missing, undefined);
});

test("alias/aws/sqs can never serve SNS; no statement is offered for it", async () => {
  const topic = await scene.topic("managed");
  const queue = await scene.queue("managed", { KmsMasterKeyId: "alias/aws/sqs" });
  await scene.subscribe(topic, queue);
  const [hop, ...others] = await deniedOf(topic);
  assert.equal(others.length, 0, "root may receive through SQS");
  assert.equal(hop?.action, "kms:GenerateDataKey");
  assert.equal(hop?.missing, undefined);
  assert.match(hop?.reason ?? "", /alias\/aws\/sqs is a key of AWS.*never another service/);
  const before = (await root().kms.listKeys({})).Keys?.length;
  await path(scene.server, topic);
  assert.equal((await root().kms.listKeys({})).Keys?.length, before, "doctor makes no key");
  await root().sns.publish({ TopicArn: topic, Message: "m" });
  const [failed] = await scene.undelivered();
  assert.equal(failed?.failureCode, "KmsAccessDenied");
});

test("consumers of a dead-letter queue need the key of the queue that messages come from", async () => {
  const own = await scene.key("dead-own", delegateTo(scene.accountId), snsMayUseKey());
  const dead = await scene.key("dead-letters");
  const target = await scene.queue("dead-letters", { KmsMasterKeyId: dead.alias });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: target.arn, maxReceiveCount: 3 });
  const queue = await scene.queue("dead-source", { KmsMasterKeyId: own.alias, RedrivePolicy });
  const topic = await scene.topic("dead");
  await scene.subscribe(topic, queue);
  const reader = await scene.user(
    "dead-reader",
    { Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"], Resource: target.arn },
    { Action: "kms:Decrypt", Resource: dead.arn },
  );
  const found = await path(scene.server, topic);
  assert.ok(found.hops.some(({ action, to }) => action === "redrive" && to === target.arn));
  const hops = denied(found);
  assert.deepEqual(
    hops.map(({ from, resource, action }) => [from, action, resource]),
    [[reader.arn, "kms:Decrypt", own.arn]],
  );
  assert.ok(hops[0]?.reason.startsWith(`for ${queue.arn}`));
  await pasteAll(hops);
  assert.equal((await path(scene.server, topic)).allowed, true);
  await root().sqs.deleteQueue({ QueueUrl: new URL(target.url).pathname });
  const [gone] = await deniedOf(topic);
  assert.match(gone?.reason ?? "", /dead-letter queue .* does not exist: messages stay in/);
});

test("who may do nothing is asked about by name only; nobody and nonsense are told apart", async () => {
  const topic = await scene.topic("people");
  const stranger = await scene.user("stranger");
  assert.equal((await path(scene.server, topic)).allowed, true, "he is no publisher");
  const [hop] = await deniedOf(topic, "--publisher", stranger.arn);
  assert.equal(hop?.missing?.attachTo, `identity policy of ${stranger.arn}`);
  const queue = await scene.queue("people");
  await scene.subscribe(topic, queue);
  const [receive] = await deniedOf(topic, "--consumer", stranger.arn);
  assert.deepEqual([receive?.from, receive?.action], [stranger.arn, "sqs:ReceiveMessage"]);
  const service = await path(scene.server, topic, "--publisher", "s3.amazonaws.com");
  assert.equal(service.allowed, true, "the default policy admits services for the account");
});
