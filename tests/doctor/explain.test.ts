// Goal: a denied request is explained by its id, and the other questions of doctor are answered to
// whom they may be. Method: real clients are denied; the request id that they got is asked about.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Explanation } from "../../src/doctor/explain.ts";
import type { WhoAnswer } from "../../src/doctor/who.ts";
import { delegateTo, newScene, type Scene, snsMayUseKey } from "../encryption/scene.ts";
import { doctor, doctorText, paste } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

/** The request id that a denied client was told. */
async function requestIdOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => assert.fail("it was not denied"),
    (thrown: unknown) => thrown,
  );
  const { $metadata } = error as { $metadata?: { requestId?: string } };
  assert.ok($metadata?.requestId, String(error));
  return $metadata.requestId;
}

async function explain(requestId: string): Promise<readonly Explanation[]> {
  const argv = ["explain", "--request-id", requestId];
  const answer = await doctor<{ denials: Explanation[] }>(scene.server, ...argv);
  assert.equal(answer.code, 0, answer.err);
  return answer.answer.denials;
}

test("a denied publish: who, what, why, the condition's values, and what mends it", async () => {
  const topic = await scene.topic("explained");
  const user = await scene.user("explained", {
    Action: "sns:Publish",
    Resource: topic,
    Condition: { StringEquals: { "aws:RequestedRegion": "eu-west-1" } },
  });
  const publish = () => user.clients.sns.publish({ TopicArn: topic, Message: "secret text" });
  const [one, ...others] = await explain(await requestIdOf(publish()));
  assert.equal(others.length, 0);
  assert.ok(one);
  assert.equal(one.caller, user.arn);
  assert.deepEqual([one.action, one.resource], ["sns:Publish", topic]);
  assert.match(one.message, /is not authorized to perform: SNS:Publish/);
  assert.deepEqual(one.conditions, [
    {
      ...{ policyKind: "identity", policyName: "test", statementIndex: 0 },
      ...{ operator: "StringEquals", key: "aws:RequestedRegion" },
      ...{ wanted: "eu-west-1", value: "us-east-1", holds: false },
    },
  ]);
  assert.equal(JSON.stringify(one).includes("secret text"), false);
  assert.ok(one.missing);
  await paste(scene.server.rootClients, one.missing);
  await publish();
});

test("the key behind a topic: the inner denial is told once, in KMS's words", async () => {
  const key = await scene.key("inner");
  const topic = await scene.topic("inner", { KmsMasterKeyId: key.alias });
  const user = await scene.user("inner", { Action: "sns:Publish", Resource: topic });
  const id = await requestIdOf(user.clients.sns.publish({ TopicArn: topic, Message: "m" }));
  const denials = await explain(id);
  assert.deepEqual(
    denials.map(({ operation, action, resource }) => [operation, action, resource]),
    [["kms:GenerateDataKey", "kms:GenerateDataKey", key.arn]],
  );
  assert.match(denials[0]?.reason ?? "", /through sns\.us-east-1\.amazonaws\.com/);
  assert.equal(denials[0]?.missing?.attachTo, `identity policy of ${user.arn}`);
});

test("a delivery that was denied is found by the publisher's request", async () => {
  const key = await scene.key("delivery");
  const topic = await scene.topic("delivery");
  const queue = await scene.queue("delivery", { KmsMasterKeyId: key.alias });
  await scene.subscribe(topic, queue);
  const { $metadata } = await scene.server.rootClients.sns.publish({
    TopicArn: topic,
    Message: "secret text",
  });
  const [one] = await explain($metadata.requestId ?? "");
  assert.deepEqual([one?.caller, one?.action], ["sns.amazonaws.com", "kms:GenerateDataKey"]);
  assert.equal(one?.missing?.attachTo, `key policy of ${key.arn}`);
  const text = await doctorText(scene.server, "explain", "--request-id", one?.requestId ?? "");
  assert.match(text, /add to the key policy of/);
  const undelivered = await doctor<{ notifications: { topicArn: string }[] }>(
    scene.server,
    ...["undelivered", "--topic", topic],
  );
  assert.equal(undelivered.code, 1);
  assert.deepEqual(
    undelivered.answer.notifications.map(({ topicArn }) => topicArn),
    [topic],
  );
  assert.equal(JSON.stringify(undelivered.answer).includes("secret text"), false);
  const shown = await doctorText(scene.server, "undelivered");
  assert.match(shown, /KmsAccessDenied[\s\S]*1 attempt; given up/);
  const none = await doctor(scene.server, "undelivered", "--topic", `${topic}-not`);
  assert.equal(none.code, 0);
});

test("message operations, explicit denials and key states are remembered too", async () => {
  const queue = await scene.queue("remembered");
  const user = await scene.user(
    "remembered",
    { Action: "sqs:*" },
    {
      Effect: "Deny",
      Action: "sqs:ReceiveMessage",
      Condition: { Bool: { "aws:SecureTransport": "true" } },
    },
  );
  const receive = user.clients.sqs.receiveMessage({ QueueUrl: queue.url });
  const [one] = await explain(await requestIdOf(receive));
  assert.match(one?.reason ?? "", /explicitly denied by Statement\[1\] of policy test/);
  assert.equal(one?.statements[0]?.statementIndex, 1);
  assert.equal(one?.conditions[0]?.value, true);
  assert.equal(one?.missing, undefined);
  const key = await scene.key("remembered");
  await scene.server.rootClients.kms.disableKey({ KeyId: key.id });
  const encrypt = { KeyId: key.id, Plaintext: Buffer.from("secret text") };
  const [disabled] = await explain(
    await requestIdOf(scene.server.rootClients.kms.encrypt(encrypt)),
  );
  assert.equal(disabled?.code, "DisabledException");
  const latest = await doctor<{ denials: Explanation[] }>(scene.server, "explain");
  assert.ok(latest.answer.denials.length > 2);
  assert.equal(JSON.stringify(latest.answer).includes("secret text"), false);
});

test("an id that is not remembered is said to be so", async () => {
  const { code, err } = await doctor(scene.server, "explain", "--request-id", "nothing");
  assert.equal(code, 1);
  assert.match(err, /no denial of request nothing is remembered/);
});

test("who may use a key: directly, by delegation, and through services", async () => {
  const named = await scene.user("who-named");
  const delegated = await scene.user("who-delegated", { Action: "kms:Decrypt" });
  const stranger = await scene.user("who-stranger");
  const viaSqs = { StringEquals: { "kms:ViaService": `sqs.${scene.region}.amazonaws.com` } };
  const key = await scene.key("who", delegateTo(scene.accountId), snsMayUseKey(), {
    Principal: { AWS: named.arn },
    Action: "kms:GenerateDataKey*",
    Condition: viaSqs,
  });
  const queue = await scene.queue("who", { KmsMasterKeyId: key.alias });
  const aliasArn = key.arn.replace(/:key\/.*/, `:${key.alias}`);
  const { answer, code } = await doctor<WhoAnswer>(scene.server, "who", "--key", aliasArn);
  assert.equal(code, 0);
  assert.equal(answer.key, key.arn);
  assert.deepEqual(answer.usedBy, [queue.arn]);
  const of = (name: string) =>
    answer.rights
      .filter(({ principal }) => principal === name)
      .map(({ action, through }) => `${action} ${through}`);
  assert.deepEqual(of(named.arn), ["kms:GenerateDataKey sqs.amazonaws.com"]);
  assert.deepEqual(of(delegated.arn), [
    "kms:Decrypt direct",
    "kms:Decrypt sns.amazonaws.com",
    "kms:Decrypt sqs.amazonaws.com",
  ]);
  assert.deepEqual(of(stranger.arn), []);
  assert.deepEqual(of("sns.amazonaws.com"), ["kms:Decrypt direct", "kms:GenerateDataKey direct"]);
  assert.ok(of(`arn:aws:iam::${scene.accountId}:root`).includes("kms:Encrypt direct"));
  const text = await doctorText(scene.server, "who", "--key", key.arn);
  assert.match(text, /user\/who-named\n {2}kms:GenerateDataKey +through sqs\.amazonaws\.com/);
  const gone = await doctor(scene.server, "who", "--key", key.arn.replace(/.$/, "0"));
  assert.equal(gone.code, gone.err.includes("there is no key") ? 1 : 0);
});

test("the API asks for the caller's right, and takes no parameter that it does not know", async () => {
  const topic = await scene.topic("api");
  const user = await scene.user("api");
  const ask = (path: string, credentials: { accessKeyId: string; secretAccessKey: string }) =>
    scene.server.send({ service: "sealpost", method: "GET", path, ...credentials });
  const path = `/_sealpost/doctor/path?topic=${encodeURIComponent(topic)}`;
  const no = await ask(path, user);
  assert.equal(no.status, 403);
  assert.match(no.body, /not authorized to perform: sealpost:DoctorPath/);
  await scene.server.rootClients.iam.putUserPolicy({
    UserName: "api",
    PolicyName: "doctor",
    PolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "sealpost:DoctorPath", Resource: "*" },
    }),
  });
  assert.equal((await ask(path, user)).status, 200);
  const others = ["sources?topic=x", "explain", "who?key=x"];
  for (const other of others) {
    assert.equal((await ask(`/_sealpost/doctor/${other}`, user)).status, 403, other);
  }
  const { root } = scene.server;
  assert.equal((await ask(`${path}&publsher=x`, root)).status, 400);
  assert.equal((await ask(`${path}&topic=x`, root)).status, 400);
  assert.equal((await ask("/_sealpost/doctor/path", root)).status, 400);
  assert.equal((await ask("/_sealpost/doctor/path?topic=x", root)).status, 404);
  assert.equal((await ask(`${path}&publisher=x`, root)).status, 404);
});
