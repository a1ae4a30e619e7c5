// Goal: where two accounts or a real event source are on the way, doctor names each side that lacks
// something. Method: a second account and service credentials made by the command line; every
// offered statement is pasted on its side, and the publish of the real client goes through.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SourcesAnswer } from "../../src/doctor/sources.ts";
import { makeAccount, sealpostJson, type TestAccount } from "../conformance/accounts-scene.ts";
import { delegateTo, newScene, refuses, type Scene, snsMayUseKey } from "../encryption/scene.ts";
import { denied, doctor, paste, path } from "./scene.ts";

let scene: Scene;
let clinic: TestAccount;
before(async () => {
  scene = await newScene();
  clinic = await makeAccount(scene.server, "clinic");
});
after(() => scene.stop());

test("a publisher of another account: each side is a hop with its own statement", async () => {
  const { server } = scene;
  const { rootClients: root } = server;
  await clinic.clients.iam.createUser({ UserName: "emr" });
  const { AccessKey } = await clinic.clients.iam.createAccessKey({ UserName: "emr" });
  const emr = server.clients({
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  });
  const user = `arn:aws:iam::${clinic.accountId}:user/emr`;
  const key = await scene.key("foreign", delegateTo(scene.accountId), snsMayUseKey());
  const topic = await scene.topic("foreign", { KmsMasterKeyId: key.alias });
  const publish = () => emr.sns.publish({ TopicArn: topic, Message: "m" });
  await refuses(publish(), "AuthorizationErrorException", undefined, 403);
  const hops = denied(await path(server, topic, "--publisher", user));
  const places = (action: string) =>
    hops.filter((hop) => hop.action === action).map(({ missing }) => missing?.attachTo);
  assert.deepEqual(places("sns:Publish"), [
    `topic policy of ${topic}`,
    `identity policy of ${user}`,
  ]);
  for (const action of ["kms:GenerateDataKey", "kms:Decrypt"]) {
    assert.deepEqual(places(action), [`key policy of ${key.arn}`, `identity policy of ${user}`]);
  }
  for (const { missing } of hops) {
    assert.ok(missing);
    // Each in the account that it belongs to.
    await paste({ ...root, iam: clinic.clients.iam }, missing);
  }
  assert.deepEqual(denied(await path(server, topic, "--publisher", user)), []);
  await publish();
});

test("a real event source: what `sources` offers lets it publish", async () => {
  const { server } = scene;
  const key = await scene.key("source");
  const topic = await scene.topic("source", { KmsMasterKeyId: key.alias });
  const made = await sealpostJson(
    server,
    ...["service-credential", "create", "s3.amazonaws.com"],
    ...["--source-account", scene.accountId, "--source-arn", "arn:aws:s3:::scans"],
  );
  const { accessKeyId = "", secretAccessKey = "" } = made;
  const s3 = server.clients({ accessKeyId, secretAccessKey });
  const publish = () => s3.sns.publish({ TopicArn: topic, Message: "new scan" });
  await refuses(publish(), "KMSAccessDeniedException");
  const ask = () =>
    doctor<SourcesAnswer>(server, ...["sources", "--topic", topic, "--source", "s3.amazonaws.com"]);
  const before = await ask();
  assert.equal(before.code, 1);
  for (const missing of before.answer.sources[0]?.missing ?? []) {
    await paste(server.rootClients, missing);
  }
  assert.equal((await ask()).code, 0);
  await publish();
});

test("EventBridge names no source on the key: real events are kept away, and doctor says so", async () => {
  const { server } = scene;
  const key = await scene.key("bridge", delegateTo(scene.accountId), {
    Principal: { Service: "events.amazonaws.com" },
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    Condition: { StringEquals: { "aws:SourceAccount": scene.accountId } },
  });
  const topic = await scene.topic("bridge", { KmsMasterKeyId: key.alias });
  const made = await sealpostJson(
    server,
    ...["service-credential", "create", "events.amazonaws.com"],
    ...["--source-account", scene.accountId],
    ...["--source-arn", `arn:aws:events:us-east-1:${scene.accountId}:rule/nightly`],
  );
  const { accessKeyId = "", secretAccessKey = "" } = made;
  const events = server.clients({ accessKeyId, secretAccessKey });
  const publish = () => events.sns.publish({ TopicArn: topic, Message: "event" });
  await refuses(publish(), "KMSAccessDeniedException");
  const argv = ["sources", "--topic", topic, "--source", "events.amazonaws.com"];
  const [found] = (await doctor<SourcesAnswer>(server, ...argv)).answer.sources;
  assert.match(found?.reason ?? "", /EventBridge sends neither/);
  for (const missing of found?.missing ?? []) await paste(server.rootClients, missing);
  await publish();
});
