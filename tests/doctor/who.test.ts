// Goal: doctor names everybody who could publish, send, receive or decrypt now, by which statements,
// and who did; and what would stay open if a principal's rights ended. Method: real clients on a
// whole server with the clock moved; every answer is tried out: who is named can, who is not cannot.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { WhoAnswer, WhoAtPlaceAnswer } from "../../src/cli/doctor-who-text.ts";
import type { RevokeAnswer } from "../../src/doctor/revoke.ts";
import {
  delegateTo,
  newScene,
  type Scene,
  type SceneKey,
  type SceneQueue,
  snsMayUseKey,
} from "../encryption/scene.ts";
import type { TestUser } from "../harness/server.ts";
import { doctor, doctorText } from "./scene.ts";

let scene: Scene;
let key: SceneKey;
let queue: SceneQueue;
let topicArn: string;
let publisher: TestUser;
let reader: TestUser;
let keyless: TestUser;

before(async () => {
  scene = await newScene();
  key = await scene.key("who", delegateTo(scene.accountId), snsMayUseKey());
  topicArn = await scene.topic("who", { KmsMasterKeyId: key.alias });
  queue = await scene.queue("who", { KmsMasterKeyId: key.alias });
  await scene.subscribe(topicArn, queue);
  const useKey = { Action: ["kms:GenerateDataKey", "kms:Decrypt"], Resource: key.arn };
  publisher = await scene.user("publisher", { Action: "sns:Publish", Resource: topicArn }, useKey);
  reader = await scene.user("reader", { Action: "sqs:*", Resource: queue.arn }, useKey);
  keyless = await scene.user("keyless", { Action: ["sns:Publish", "sqs:*"] });
});
after(() => scene.stop());

const publish = (user: TestUser) => user.clients.sns.publish({ TopicArn: topicArn, Message: "m" });
const receive = (user: TestUser) =>
  user.clients.sqs.receiveMessage({ QueueUrl: queue.url, WaitTimeSeconds: 1 });

async function who<A extends WhoAnswer | WhoAtPlaceAnswer>(...argv: string[]): Promise<A> {
  const { answer, err } = await doctor<A>(scene.server, "who", ...argv);
  assert.ok(answer, err);
  return answer;
}

test("who could publish, with the statements of both sides; who lacks the key is not among them", async () => {
  const { rights, key: named } = await who<WhoAtPlaceAnswer>("--topic", topicArn);
  assert.equal(named, key.arn);
  const people = rights.filter(({ principal }) => principal.startsWith("arn:"));
  assert.deepEqual(
    people.map(({ principal, action }) => [principal, action]),
    [
      [`arn:aws:iam::${scene.accountId}:root`, "sns:Publish"],
      [publisher.arn, "sns:Publish"],
    ],
  );
  const kinds = people[1]?.statements.map(({ policyKind }) => policyKind) ?? [];
  assert.ok(kinds.includes("identity"));
  assert.match(people[1]?.reason ?? "", /kms:GenerateDataKey/);
  await publish(publisher);
  await assert.rejects(publish(keyless), { name: "KMSAccessDeniedException" });
});

test("who could send to a queue and receive from it, services with their source", async () => {
  const { rights } = await who<WhoAtPlaceAnswer>("--queue", queue.arn);
  const of = (action: string) =>
    rights.filter((right) => right.action === action).map(({ principal }) => principal);
  const root = `arn:aws:iam::${scene.accountId}:root`;
  assert.deepEqual(of("sqs:ReceiveMessage"), [root, reader.arn]);
  assert.deepEqual(of("sqs:SendMessage"), [
    root,
    reader.arn,
    `sns.amazonaws.com (for ${topicArn})`,
  ]);
  const { Messages } = await receive(reader);
  assert.equal(Messages?.length, 1);
});

test("an open queue policy shows that anybody could", async () => {
  const open = await scene.queue("open", { SqsManagedSseEnabled: "false" });
  const statement = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" };
  await scene.setQueue(open, { Policy: JSON.stringify({ Statement: statement }) });
  const { rights } = await who<WhoAtPlaceAnswer>("--queue", open.arn);
  const anonymous = rights.filter(({ principal }) => principal === "anonymous");
  assert.deepEqual(
    anonymous.map(({ action }) => action),
    ["sqs:SendMessage"],
  );
});

test("who did in a period: through which service, how often, and what was denied", async () => {
  const { deeds } = await who<WhoAtPlaceAnswer>("--topic", topicArn);
  const find = (principal: string, action: string) =>
    deeds.done.find((deed) => deed.principal === principal && deed.action === action);
  assert.deepEqual(
    [
      find(publisher.arn, "kms:GenerateDataKey")?.through,
      find(publisher.arn, "kms:Decrypt")?.allowed,
    ],
    ["sns.amazonaws.com", 1],
  );
  const denied = find(keyless.arn, "kms:GenerateDataKey");
  assert.deepEqual([denied?.allowed, denied?.denied], [0, 1]);
  assert.equal(find(`arn:aws:iam::${scene.accountId}:root`, "sns:CreateTopic")?.allowed, 1);
  const ofQueue = await who<WhoAtPlaceAnswer>("--queue", queue.arn);
  assert.ok(ofQueue.deeds.done.some(({ principal }) => principal === reader.arn));
  const ofKey = await who<WhoAnswer>("--key", key.arn);
  assert.ok(ofKey.deeds.done.length > deeds.done.length);
  const text = await doctorText(scene.server, "who", "--topic", topicArn);
  assert.match(text, /kms:GenerateDataKey through sns\.amazonaws\.com: 0 done, 1 denied/);
  const past = ["--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"];
  const before = await who<WhoAtPlaceAnswer>("--topic", topicArn, ...past);
  assert.deepEqual(before.deeds.done, []);
});

test("revoke: data keys stay open to the end of their period, and no longer", async () => {
  const revoke = async (arn: string) => {
    const { answer, err } = await doctor<RevokeAnswer>(scene.server, "revoke", "--principal", arn);
    assert.ok(answer, err);
    return answer;
  };
  await scene.server.advance(301);
  await publish(publisher);
  const held = await revoke(publisher.arn);
  assert.deepEqual(
    held.open.map(({ use, resource, key: of }) => [use, resource, of]),
    [["seal", topicArn, key.arn]],
  );
  assert.ok(
    held.rights.some(({ action, through }) => `${action} ${through}` === "kms:Decrypt direct"),
  );
  assert.equal(held.openUntil, held.open[0]?.until);
  // The answer is true: without any right to the key the publisher goes on until then.
  const { iam } = scene.server.rootClients;
  await iam.putUserPolicy({
    UserName: "publisher",
    PolicyName: "test",
    PolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "sns:Publish", Resource: topicArn },
    }),
  });
  const after = await revoke(publisher.arn);
  assert.deepEqual([after.rights, after.open], [[], held.open]);
  await publish(publisher);
  await scene.server.advance(301);
  assert.deepEqual([(await revoke(publisher.arn)).open, held.open.length], [[], 1]);
  await assert.rejects(publish(publisher), { name: "KMSAccessDeniedException" });
  const text = await doctorText(scene.server, "revoke", "--principal", publisher.arn);
  assert.match(text, /nothing would stay open/);
});

test("revoke names grants, which outlive policies; a reader's data keys are of the queue", async () => {
  const { kms } = scene.server.rootClients;
  const grantee = { KeyId: key.id, GranteePrincipal: reader.arn };
  const { GrantId } = await kms.createGrant({ ...grantee, Operations: ["Decrypt"] });
  await scene.server.rootClients.sns.publish({ TopicArn: topicArn, Message: "m" });
  await receive(reader);
  const { answer } = await doctor<RevokeAnswer>(
    scene.server,
    ...["revoke", "--principal", reader.arn],
  );
  assert.deepEqual(answer.grants, [{ key: key.arn, grantId: GrantId, operations: ["Decrypt"] }]);
  assert.deepEqual(
    answer.open.map(({ use, resource }) => [use, resource]),
    [["open", queue.arn]],
  );
});

test("a key that seals nothing is asked about what it does", async () => {
  const { kms } = scene.server.rootClients;
  const usages = {
    SIGN_VERIFY: ["ECC_NIST_P256", ["kms:Sign"]],
    GENERATE_VERIFY_MAC: ["HMAC_256", ["kms:GenerateMac", "kms:VerifyMac"]],
    KEY_AGREEMENT: ["ECC_NIST_P256", ["kms:DeriveSharedSecret"]],
    ENCRYPT_DECRYPT: ["RSA_2048", ["kms:Encrypt", "kms:Decrypt"]],
  } as const;
  for (const [KeyUsage, [KeySpec, actions]] of Object.entries(usages)) {
    const made = await kms.createKey({ KeyUsage: KeyUsage as keyof typeof usages, KeySpec });
    const { rights } = await who<WhoAnswer>("--key", made.KeyMetadata?.Arn ?? "");
    const own = rights.filter(({ principal }) => principal.endsWith(":root"));
    assert.deepEqual(
      own.map(({ action, through }) => [action, through]),
      actions.map((action) => [action, "direct"]),
    );
  }
});

test("slips are told", async () => {
  const run = (...argv: string[]) => doctor(scene.server, ...argv);
  assert.match((await run("who")).err, /give one of `topic`, `queue`, `key`/);
  assert.match((await run("who", "--queue", topicArn)).err, /there is no queue/);
  assert.match((await run("who", "--topic", topicArn, "--since", "soon")).err, /must be a time/);
  assert.match((await run("revoke", "--principal", "arn:aws:iam::1:user/x")).err, /there is no/);
});
