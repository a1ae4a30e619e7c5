// Goal: who may send to, publish to and receive from SSE-KMS resources is decided by their keys:
// producer GenerateDataKey, publisher GenerateDataKey and Decrypt, consumer Decrypt; each refusal
// has the service's own code and names the true reason.
// Method: IAM users with narrow rights, by key policy, by delegation to the account, by none; the
// SDK's JSON (SQS) and query (SNS) protocols, and raw query requests to SQS.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  asToldByKms,
  bodies,
  delegateTo,
  newScene,
  received,
  refuses,
  type Scene,
  type SceneKey,
  type SceneQueue,
  type Statement,
} from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await newScene();
});
after(() => scene.stop());

const messaging: Statement = { Action: ["sqs:*", "sns:*"] };
const userArn = (name: string) => `arn:aws:iam::${scene.accountId}:user/${name}`;
const root = () => scene.server.rootClients;
const mayNot = (name: string, action: string, key: SceneKey, why: RegExp) =>
  asToldByKms(
    new RegExp(
      `User: ${userArn(name)} is not authorized to perform: ${action} on resource: ` +
        `${key.arn} ${why.source}`,
    ),
    "AccessDeniedException",
  );
const noIdentity = (action: string) =>
  new RegExp(`because no identity-based policy allows the ${action} action`);
const noResource = (action: string) =>
  new RegExp(`because no resource-based policy allows the ${action} action`);

async function queueUnder(name: string, key: { readonly alias: string }): Promise<SceneQueue> {
  return scene.queue(name, { KmsMasterKeyId: key.alias });
}

type Users = Awaited<ReturnType<Scene["user"]>>;
const send = ({ clients }: Users, { url: QueueUrl }: SceneQueue) =>
  clients.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
const publish = ({ clients }: Users, TopicArn: string) =>
  clients.sns.publish({ TopicArn, Message: "m" });
const receive = ({ clients }: Users, { url: QueueUrl }: SceneQueue) =>
  clients.sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 0 });

test("rights by the identity's policies, where the key delegates to the account", async () => {
  const key = await scene.key("delegated");
  const queue = await queueUnder("delegated", key);
  const topic = await scene.topic("delegated", { KmsMasterKeyId: key.arn });
  const may = (name: string, ...actions: string[]) =>
    scene.user(name, messaging, { Action: actions, Resource: key.arn });
  const generate = await may("d-generate", "kms:GenerateDataKey");
  const decrypt = await may("d-decrypt", "kms:Decrypt");
  const both = await may("d-both", "kms:GenerateDataKey", "kms:Decrypt");
  const none = await scene.user("d-none", messaging);

  await send(generate, queue);
  await send(both, queue);
  for (const [user, name] of [
    [decrypt, "d-decrypt"],
    [none, "d-none"],
  ] as const) {
    const action = "kms:GenerateDataKey";
    await refuses(
      send(user, queue),
      "KmsAccessDenied",
      mayNot(name, action, key, noIdentity(action)),
    );
    await refuses(
      publish(user, topic),
      "KMSAccessDeniedException",
      mayNot(name, action, key, noIdentity(action)),
    );
  }
  await publish(both, topic);
  await refuses(
    publish(generate, topic),
    "KMSAccessDeniedException",
    mayNot("d-generate", "kms:Decrypt", key, noIdentity("kms:Decrypt")),
  );

  for (const [user, name] of [
    [generate, "d-generate"],
    [none, "d-none"],
  ] as const) {
    await refuses(
      receive(user, queue),
      "KmsAccessDenied",
      mayNot(name, "kms:Decrypt", key, noIdentity("kms:Decrypt")),
    );
  }
  assert.equal((await receive(decrypt, queue)).Messages?.length, 1);
});

test("rights by the key policy alone; without delegation the identity's own do not count", async () => {
  const who: Users[] = [];
  for (const name of ["k-producer", "k-consumer"]) who.push(await scene.user(name, messaging));
  const identityOnly = await scene.user("k-identity", messaging, { Action: "kms:*" });
  const [producer, consumer] = who;
  assert.ok(producer && consumer);
  const administer = { Principal: { AWS: userArn("nobody-yet") }, Action: "kms:Put*" };
  await scene.user("nobody-yet");
  const key = await scene.key(
    "direct",
    administer,
    {
      Principal: { AWS: `arn:aws:iam::${scene.accountId}:root` },
      Action: ["kms:CreateAlias", "kms:PutKeyPolicy"],
    },
    { Principal: { AWS: producer.arn }, Action: "kms:GenerateDataKey" },
    { Principal: { AWS: consumer.arn }, Action: "kms:Decrypt" },
  );
  const queue = await queueUnder("direct", key);
  await send(producer, queue);
  assert.equal((await receive(consumer, queue)).Messages?.length, 1);
  const action = "kms:GenerateDataKey";
  await refuses(
    send(identityOnly, queue),
    "KmsAccessDenied",
    mayNot("k-identity", action, key, noResource(action)),
  );
  await refuses(
    send(consumer, queue),
    "KmsAccessDenied",
    mayNot("k-consumer", action, key, noResource(action)),
  );
  const sender = root().sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "m" });
  await refuses(sender, "KmsAccessDenied", /not authorized to perform: kms:GenerateDataKey/);
});

test("an explicit deny in the key policy is named as such", async () => {
  const user = await scene.user("x-denied", messaging, { Action: "kms:*" });
  const Deny = { Effect: "Deny" as const, Principal: { AWS: user.arn }, Action: "kms:Decrypt" };
  const key = await scene.key("denying", delegateTo(scene.accountId), Deny);
  const queue = await queueUnder("denying", key);
  await send(user, queue);
  const text = mayNot(
    "x-denied",
    "kms:Decrypt",
    key,
    /with an explicit deny in a resource-based policy/,
  );
  await refuses(receive(user, queue), "KmsAccessDenied", text);
  const topic = await scene.topic("denying", { KmsMasterKeyId: key.id });
  await refuses(publish(user, topic), "KMSAccessDeniedException", text);
});

/** Each way in which a key can be unusable, told by both services. */
const states = [
  {
    state: "disabled",
    make: async () => {
      const key = await scene.key("off");
      await root().kms.disableKey({ KeyId: key.id });
      return { keyId: key.alias, text: `${key.arn} is disabled.` };
    },
    codes: ["KmsDisabled", "KMS.DisabledException", "KMSDisabledException", "KMSDisabled"],
    kms: "DisabledException",
  },
  {
    state: "pending deletion",
    make: async () => {
      const key = await scene.key("leaving");
      await root().kms.scheduleKeyDeletion({ KeyId: key.id, PendingWindowInDays: 7 });
      return { keyId: key.arn, text: `${key.arn} is pending deletion.` };
    },
    codes: [
      "KmsInvalidState",
      "KMS.InvalidStateException",
      "KMSInvalidStateException",
      "KMSInvalidState",
    ],
    kms: "KMSInvalidStateException",
  },
  {
    state: "a key for another use",
    make: async () => {
      const made = await root().kms.createKey({
        KeySpec: "HMAC_256",
        KeyUsage: "GENERATE_VERIFY_MAC",
      });
      const keyId = made.KeyMetadata?.Arn ?? "";
      return {
        keyId,
        text: `${keyId} key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey.`,
      };
    },
    codes: [
      "KmsInvalidKeyUsage",
      "KMS.InvalidKeyUsageException",
      "KMSInvalidStateException",
      "KMSInvalidState",
    ],
    kms: "InvalidKeyUsageException",
  },
  {
    state: "an alias that is not there",
    make: async () => ({
      keyId: "alias/gone",
      text: `Alias arn:aws:kms:${scene.region}:${scene.accountId}:alias/gone is not found.`,
    }),
    codes: ["KmsNotFound", "KMS.NotFoundException", "KMSNotFoundException", "KMSNotFound"],
    kms: "NotFoundException",
  },
  {
    state: "a key id that is not there",
    make: async () => ({
      keyId: "11111111-2222-3333-4444-555555555555",
      text:
        `Key 'arn:aws:kms:${scene.region}:${scene.accountId}:` +
        "key/11111111-2222-3333-4444-555555555555' does not exist",
    }),
    codes: ["KmsNotFound", "KMS.NotFoundException", "KMSNotFoundException", "KMSNotFound"],
    kms: "NotFoundException",
  },
] as const;

for (const [index, { state, make, codes, kms }] of states.entries()) {
  test(`${state}: each service and protocol has its code, and nothing is stored`, async () => {
    const { keyId, text } = await make();
    const [json, query, sdk, xml] = codes;
    const told = asToldByKms(text, kms);
    const queue = await scene.queue(`state-${index}`, { KmsMasterKeyId: keyId });
    const topic = await scene.topic(`state-${index}`, { KmsMasterKeyId: keyId });
    const open = await scene.queue(`state-open-${index}`);
    await scene.subscribe(topic, open);
    const { sqs, sns } = root();
    await refuses(sqs.sendMessage({ QueueUrl: queue.url, MessageBody: "m" }), json, told);
    const Entries = [{ Id: "a", MessageBody: "m" }];
    await refuses(sqs.sendMessageBatch({ QueueUrl: queue.url, Entries }), json, told);
    await refuses(sns.publish({ TopicArn: topic, Message: "m" }), sdk, told);
    const PublishBatchRequestEntries = [{ Id: "a", Message: "m" }];
    await refuses(sns.publishBatch({ TopicArn: topic, PublishBatchRequestEntries }), sdk, told);
    const raw = await scene.server.send({
      service: "sqs",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        Action: "SendMessage",
        Version: "2012-11-05",
        QueueUrl: queue.url,
        MessageBody: "m",
      }).toString(),
    });
    assert.equal(raw.status, 400);
    assert.match(raw.body, new RegExp(`<Code>${query.replace(".", "\\.")}</Code>`));
    const rawSns = await scene.server.send({
      service: "sns",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        Action: "Publish",
        Version: "2010-03-31",
        TopicArn: topic,
        Message: "m",
      }).toString(),
    });
    assert.equal(rawSns.status, 400);
    assert.match(rawSns.body, new RegExp(`<Code>${xml}</Code>`));
    await scene.setQueue(queue, { KmsMasterKeyId: "" });
    assert.deepEqual(await bodies(root(), queue), []);
    assert.deepEqual(await bodies(root(), open), [], "a refused publish reaches nobody");
  });
}

test("alias/aws/sqs and alias/aws/sns serve every caller of the account, but no delivery", async () => {
  const queue = await scene.queue("managed", { KmsMasterKeyId: "alias/aws/sqs" });
  const topic = await scene.topic("managed", { KmsMasterKeyId: "alias/aws/sns" });
  const user = await scene.user("plain-user", messaging);
  await send(user, queue);
  assert.deepEqual(await received(user.clients, queue), [["m", "1"]]);
  const open = await scene.queue("managed-open");
  await scene.subscribe(topic, open);
  await scene.subscribe(topic, queue);
  await publish(user, topic);
  assert.deepEqual(await bodies(user.clients, open), ["m"], "the twin: a queue without SSE-KMS");
  assert.equal((await bodies(user.clients, queue)).length, 1, "nothing came by the topic");
  const [failed] = await scene.undelivered();
  assert.equal(failed?.failureCode, "KmsAccessDenied");
  assert.match(
    failed?.failureText ?? "",
    /sns\.amazonaws\.com is not authorized to perform: kms:GenerateDataKey/,
  );
  const direct = root().kms.generateDataKey({ KeyId: "alias/aws/sqs", KeySpec: "AES_256" });
  await refuses(direct, "AccessDeniedException", /kms:GenerateDataKey/);
});

test("many who use an AWS managed key for the first time at once make one key", async () => {
  const { server } = scene;
  const region = "eu-central-1";
  const { sqs, kms } = server.clients(server.root, { region });
  const send = async (n: number) => {
    const Attributes = { KmsMasterKeyId: "alias/aws/sqs" };
    const { QueueUrl } = await sqs.createQueue({ QueueName: `first-${n}`, Attributes });
    await sqs.sendMessage({ QueueUrl, MessageBody: "m" });
    const { Messages } = await sqs.receiveMessage({ QueueUrl });
    assert.equal(Messages?.[0]?.Body, "m");
  };
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(send));
  const { Keys = [] } = await kms.listKeys({});
  assert.equal(Keys.length, 1);
  const { KeyMetadata } = await kms.describeKey({ KeyId: "alias/aws/sqs" });
  assert.equal(KeyMetadata?.KeyId, Keys[0]?.KeyId);
});
