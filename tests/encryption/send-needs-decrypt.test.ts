// Goal: with `--send-needs-decrypt` who sends to an encrypted queue needs kms:Decrypt beside
// kms:GenerateDataKey, as AWS had it until 2024; services as well, and doctor and cost know it.
// Method: real clients on two whole servers, with the flag and (the twin) without.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { run } from "../cli/support.ts";
import { path } from "../doctor/scene.ts";
import { bodies, delegateTo, newScene, type Scene, snsMayUseKey } from "./scene.ts";

for (const needed of [true, false]) {
  let scene: Scene;
  before(async () => {
    scene = await newScene({ flags: { sendNeedsDecrypt: needed } });
  });
  after(() => scene.stop());

  test(`a sender and a delivery ${needed ? "need" : "do not need"} kms:Decrypt`, async () => {
    const generate = { Action: ["kms:GenerateDataKey"] };
    const onlyGenerate = { ...snsMayUseKey(), ...generate };
    const key = await scene.key("k", delegateTo(scene.accountId), onlyGenerate);
    const queue = await scene.queue("q", { KmsMasterKeyId: key.alias });
    const topicArn = await scene.topic("t");
    await scene.subscribe(topicArn, queue);
    const sqs = { Action: "sqs:*" };
    const poor = await scene.user("poor", sqs, generate);
    const rich = await scene.user("rich", sqs, { Action: "kms:*" });
    const Entries = [{ Id: "a", MessageBody: "batch" }];
    const sends = [
      () => poor.clients.sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "one" }),
      () => poor.clients.sqs.sendMessageBatch({ QueueUrl: queue.url, Entries }),
    ];
    for (const send of sends) {
      if (needed) await assert.rejects(send(), { name: "KmsAccessDenied", message: /kms:Decrypt/ });
      else await send();
    }
    await rich.clients.sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "rich" });
    await scene.server.rootClients.sns.publish({ TopicArn: topicArn, Message: "published" });
    const all = needed ? ["rich"] : ["batch", "one", "published", "rich"];
    assert.deepEqual((await bodies(rich.clients, queue)).toSorted(), all);
    const { hops } = await path(scene.server, topicArn);
    const ofSns = hops.filter(({ from, action }) => from === queue.arn && action === "kms:Decrypt");
    assert.deepEqual(
      ofSns.map(({ allowed }) => allowed),
      needed ? [false] : [],
    );
    const { dataFolder: data } = scene.server;
    const options = { workingDirectory: data, io: { now: () => Date.now() } };
    const asked = ["cost", "--queue", queue.arn, "--data", data, "--format", "json"];
    const costs = JSON.parse((await run(asked, options)).out);
    const own = needed ? "B / D × (2 × P + P × C)" : "B / D × (P + P × C)";
    assert.equal(costs.resources[0].here.formula, own);
  });
}
