// Goal: with `--data-key-authorization always` a right that is gone, or a key that is disabled, ends
// with the next message, for publishers, senders, deliveries and consumers; nothing is lost, and KMS
// is asked as seldom as ever. Method: real clients on a whole server without a move of its clock; the
// twin is a server as AWS is, where everything goes on to the end of the period.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RevokeAnswer } from "../../src/doctor/revoke.ts";
import { doctor } from "../doctor/scene.ts";
import { bodies, delegateTo, newScene, type Scene, type Statement, snsMayUseKey } from "./scene.ts";

for (const mode of ["always", "cached"] as const) {
  const always = mode === "always";
  let scene: Scene;
  before(async () => {
    scene = await newScene({ flags: { dataKeyAuthorization: mode } });
  });
  after(() => scene.stop());

  const root = () => scene.server.rootClients;
  /** Refused at once, or (the twin) as good as before. */
  const ends = async (act: () => Promise<unknown>, name: string) => {
    if (always) await assert.rejects(act(), { name });
    else await act();
  };
  async function person(name: string, ...operations: string[]) {
    const messaging: Statement = { Action: ["sqs:*", "sns:*"] };
    const user = await scene.user(name, messaging, { Action: operations });
    const UserName = name;
    const statements = { Effect: "Allow", Action: messaging.Action, Resource: "*" };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    const keyless = { UserName, PolicyName: "test", PolicyDocument };
    return { ...user, losesTheKey: () => root().iam.putUserPolicy(keyless) };
  }
  const kmsCalls = async (contextArn: string) =>
    (await scene.events({ contextArn })).map(
      ({ eventName, errorCode = "" }) => eventName + errorCode,
    );

  test(`${mode}: a sender and a consumer whose right is taken away`, async () => {
    const key = await scene.key(`queue-${mode}`);
    const queue = await scene.queue(`queue-${mode}`, { KmsMasterKeyId: key.alias });
    const sender = await person(`sender-${mode}`, "kms:GenerateDataKey");
    const reader = await person(`reader-${mode}`, "kms:Decrypt");
    const send = () => sender.clients.sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "m" });
    for (let n = 0; n < 3; n++) await send();
    for (let n = 0; n < 3; n++) assert.equal((await bodies(reader.clients, queue)).length, 3);
    assert.deepEqual(await kmsCalls(queue.arn), ["GenerateDataKey", "Decrypt"]);
    const revoke = ["revoke", "--principal", sender.arn];
    const { answer } = await doctor<RevokeAnswer>(scene.server, ...revoke);
    assert.equal(answer.open.length, always ? 0 : 1);
    await sender.losesTheKey();
    await ends(send, "KmsAccessDenied");
    await reader.losesTheKey();
    await ends(() => bodies(reader.clients, queue), "KmsAccessDenied");
    const denied = always ? ["GenerateDataKeyAccessDenied", "DecryptAccessDenied"] : [];
    assert.deepEqual(await kmsCalls(queue.arn), ["GenerateDataKey", "Decrypt", ...denied]);
    assert.equal((await bodies(root(), queue)).length, always ? 3 : 4, "what was there is there");
  });

  test(`${mode}: a key that is disabled, and enabled again`, async () => {
    const key = await scene.key(`state-${mode}`);
    const queue = await scene.queue(`state-${mode}`, { KmsMasterKeyId: key.id });
    const { kms, sqs } = root();
    const send = () => sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "m" });
    await send();
    assert.equal((await bodies(root(), queue)).length, 1);
    await kms.disableKey({ KeyId: key.id });
    await ends(send, "KmsDisabled");
    await ends(() => bodies(root(), queue), "KmsDisabled");
    await kms.enableKey({ KeyId: key.id });
    await send();
    assert.equal((await bodies(root(), queue)).length, always ? 2 : 3);
  });

  test(`${mode}: a publisher needs Decrypt too, and a delivery the key policy`, async () => {
    const { accountId } = scene;
    const key = await scene.key(`topic-${mode}`, delegateTo(accountId), snsMayUseKey());
    const topicArn = await scene.topic(`topic-${mode}`, { KmsMasterKeyId: key.alias });
    const queue = await scene.queue(`copies-${mode}`, { KmsMasterKeyId: key.alias });
    await scene.subscribe(topicArn, queue);
    const rights = ["kms:GenerateDataKey", "kms:Decrypt"];
    const publisher = await person(`publisher-${mode}`, ...rights);
    const publish = () => publisher.clients.sns.publish({ TopicArn: topicArn, Message: "m" });
    await publish();
    await publish();
    assert.equal((await bodies(root(), queue)).length, 2);
    // The delivery: SNS loses the key of queue and topic; nothing is lost, and it is told.
    await scene.setKeyPolicy(key, delegateTo(accountId));
    await publish();
    assert.equal((await bodies(root(), queue)).length, always ? 2 : 3);
    const codes = (await scene.undelivered()).map(({ failureCode }) => failureCode);
    assert.deepEqual(codes, always ? ["KmsAccessDenied"] : []);
    await scene.setKeyPolicy(key, delegateTo(accountId), snsMayUseKey());
    await publisher.losesTheKey();
    await ends(publish, "KMSAccessDeniedException");
    const half = await person(`half-${mode}`, ...rights);
    const publishToo = () => half.clients.sns.publish({ TopicArn: topicArn, Message: "m" });
    await publishToo();
    const deny = { Effect: "Deny", Principal: { AWS: half.arn }, Action: "kms:Decrypt" } as const;
    await scene.setKeyPolicy(key, delegateTo(accountId), snsMayUseKey(), deny);
    await ends(publishToo, "KMSAccessDeniedException");
  });
}
