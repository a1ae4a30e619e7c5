// Goal: for every way to encrypt a topic, every way to encrypt the queue behind it, and everything
// that can happen to a key, publisher, delivery and consumer see what AWS documents. Method: one
// table; for each event all sixteen pairs are made, a message is sent, the event happens, a data-key
// period passes, and another message is sent. Expectations are computed from rules, not recorded.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { refusal, type TestClients } from "../harness/server.ts";
import { openPolicy, queueArn, type SnsScene, snsScene } from "./sns-scene.ts";

const topicKinds = ["none", "alias/aws/sns", "customer key", "foreign key"] as const;
const queueKinds = ["none", "SSE-SQS", "alias/aws/sqs", "customer key"] as const;
const events = [
  "nothing",
  "disabled",
  "pending deletion",
  "deleted",
  "policy removed",
  "rotated",
  "replaced",
] as const;
type TopicKind = (typeof topicKinds)[number];
type QueueKind = (typeof queueKinds)[number];
type Event = (typeof events)[number];

/** What a key says after an event, in KMS's words; undefined: it works. */
const sayings: Readonly<Partial<Record<Event, { readonly sns: string; readonly sqs: string }>>> = {
  disabled: { sns: "KMSDisabledException", sqs: "KmsDisabled" },
  "pending deletion": { sns: "KMSInvalidStateException", sqs: "KmsInvalidState" },
  deleted: { sns: "KMSNotFoundException", sqs: "KmsNotFound" },
  "policy removed": { sns: "KMSAccessDeniedException", sqs: "KmsAccessDenied" },
};

/** What the second publication is refused with. */
function publisherHears(topic: TopicKind, event: Event): string | undefined {
  const users = topic === "customer key" || topic === "foreign key";
  // AWS: whether another account has such a key is not told.
  if (topic === "foreign key" && event === "deleted") return "KMSAccessDeniedException";
  return users ? sayings[event]?.sns : undefined;
}

/** Why a notification does not reach its queue. */
function deliveryFails(queue: QueueKind, event: Event | "before"): string | undefined {
  // AWS: the policy of the managed key admits no service, and cannot be changed.
  if (queue === "alias/aws/sqs") return "KmsAccessDenied";
  return queue === "customer key" && event !== "before" ? sayings[event]?.sqs : undefined;
}

/** What a consumer hears who asks for what was sent before the event. */
function consumerHears(queue: QueueKind, event: Event): string | undefined {
  return queue === "customer key" ? sayings[event]?.sqs : undefined;
}

let scene: SnsScene;
let other: TestClients & { readonly accountId: string };
before(async () => {
  scene = await snsScene();
  const answer = await scene.server.send({
    service: "sealpost",
    path: "/_sealpost/accounts",
    body: JSON.stringify({ name: "other" }),
  });
  const { accountId, accessKeyId, secretAccessKey } = JSON.parse(answer.body);
  other = { accountId, ...scene.server.clients({ accessKeyId, secretAccessKey }) };
});
after(() => scene.server.stop());

const service = {
  Effect: "Allow",
  Principal: { Service: "sns.amazonaws.com" },
  Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
  Resource: "*",
};
const root = (accountId: string, Action: string | readonly string[] = "kms:*") => ({
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${accountId}:root` },
  Action,
  Resource: "*",
});

interface Key {
  readonly arn: string;
  readonly kms: KMS;
}

async function makeKey(kms: KMS, ...statements: readonly object[]): Promise<Key> {
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const { KeyMetadata } = await kms.createKey({ Policy });
  return { arn: KeyMetadata?.Arn ?? "", kms };
}

/** Nobody but an administrator, who may not use it. */
function withoutUse(accountId: string): string {
  const administer = ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey"];
  return JSON.stringify({ Version: "2012-10-17", Statement: [root(accountId, administer)] });
}

async function happen(event: Event, { arn, kms }: Key): Promise<void> {
  const accountId = arn.split(":")[4] ?? "";
  if (event === "disabled") await kms.disableKey({ KeyId: arn });
  if (event === "pending deletion" || event === "deleted") {
    await kms.scheduleKeyDeletion({ KeyId: arn, PendingWindowInDays: 7 });
  }
  if (event === "policy removed") {
    await kms.putKeyPolicy({ KeyId: arn, Policy: withoutUse(accountId) });
  }
  if (event === "rotated") await kms.rotateKeyOnDemand({ KeyId: arn });
}

interface Pair {
  readonly topicKind: TopicKind;
  readonly queueKind: QueueKind;
  readonly TopicArn: string;
  readonly QueueUrl: string;
}

async function makePair(
  name: string,
  topicKind: TopicKind,
  queueKind: QueueKind,
  keys: { readonly own: Key; readonly foreign: Key; readonly queue: Key },
): Promise<Pair> {
  const topicKeys = {
    none: undefined,
    "alias/aws/sns": "alias/aws/sns",
    "customer key": keys.own.arn,
    "foreign key": keys.foreign.arn,
  };
  const queueAttributes = {
    none: { SqsManagedSseEnabled: "false" },
    "SSE-SQS": { SqsManagedSseEnabled: "true" },
    "alias/aws/sqs": { KmsMasterKeyId: "alias/aws/sqs" },
    "customer key": { KmsMasterKeyId: keys.queue.arn, KmsDataKeyReusePeriodSeconds: "60" },
  };
  const KmsMasterKeyId = topicKeys[topicKind];
  const { TopicArn = "" } = await scene.sns.createTopic({
    Name: name,
    Attributes: KmsMasterKeyId ? { KmsMasterKeyId } : {},
  });
  const Endpoint = queueArn(scene, name);
  const Policy = JSON.stringify(openPolicy(Endpoint, TopicArn));
  const { QueueUrl = "" } = await scene.sqs.createQueue({
    QueueName: name,
    Attributes: { Policy, ...queueAttributes[queueKind] },
  });
  const Attributes = { RawMessageDelivery: "true" };
  await scene.sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint, Attributes });
  return { topicKind, queueKind, TopicArn, QueueUrl };
}

/** Failure codes of the topic's notifications that did not arrive, oldest first. */
async function failuresOf(TopicArn: string): Promise<readonly string[]> {
  const answer = await scene.server.send({
    service: "sealpost",
    method: "GET",
    path: `/_sealpost/undelivered?topic=${encodeURIComponent(TopicArn)}`,
  });
  const { notifications } = JSON.parse(answer.body);
  return notifications.map(({ failureCode }: { failureCode: string }) => failureCode).reverse();
}

async function receiveAll(QueueUrl: string): Promise<string[] | string> {
  const bodies: string[] = [];
  for (;;) {
    const call = scene.sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
    const refused = await refusal(call);
    if (refused) return refused.name;
    const { Messages = [] } = await call;
    if (Messages.length === 0) return bodies.sort();
    for (const { Body = "", ReceiptHandle } of Messages) {
      bodies.push(Body);
      await scene.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    }
  }
}

for (const [index, event] of events.entries()) {
  test(`sixteen pairs, and the keys: ${event}`, async () => {
    const admits = [root(scene.accountId), service];
    const foreign = [
      root(other.accountId),
      root(scene.accountId, ["kms:GenerateDataKey*", "kms:Decrypt"]),
    ];
    const keys = {
      own: await makeKey(scene.kms, ...admits),
      queue: await makeKey(scene.kms, ...admits),
      foreign: await makeKey(other.kms, ...foreign, service),
    };
    const pairs: Pair[] = [];
    for (const topicKind of topicKinds) {
      for (const queueKind of queueKinds) {
        const name = `matrix-${index}-${pairs.length}`;
        pairs.push(await makePair(name, topicKind, queueKind, keys));
      }
    }
    for (const { TopicArn } of pairs) await scene.sns.publish({ TopicArn, Message: "before" });
    for (const key of Object.values(keys)) await happen(event, key);
    if (event === "replaced") await replace(pairs, await makeKey(scene.kms, ...admits));
    await scene.server.advance(event === "deleted" ? 7 * 86_400 + 60 : 301);
    for (const pair of pairs) await check(pair, event);
  });
}

async function replace(pairs: readonly Pair[], { arn }: Key): Promise<void> {
  for (const { topicKind, queueKind, TopicArn, QueueUrl } of pairs) {
    if (topicKind === "customer key" || topicKind === "foreign key") {
      const AttributeName = "KmsMasterKeyId";
      await scene.sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue: arn });
    }
    if (queueKind === "customer key") {
      await scene.sqs.setQueueAttributes({ QueueUrl, Attributes: { KmsMasterKeyId: arn } });
    }
  }
}

async function check(pair: Pair, event: Event): Promise<void> {
  const { topicKind, queueKind, TopicArn, QueueUrl } = pair;
  const name = `topic ${topicKind}, queue ${queueKind}, ${event}`;
  const heard = await refusal(scene.sns.publish({ TopicArn, Message: "after" }));
  const publisher = publisherHears(topicKind, event);
  assert.equal(heard?.name, publisher, `publisher: ${name}`);
  const failing = [
    deliveryFails(queueKind, "before"),
    publisher === undefined ? deliveryFails(queueKind, event) : undefined,
  ];
  // What was given up before a week passed is not kept any longer.
  const seen = event === "deleted" ? failing.slice(1) : failing;
  const failures = await failuresOf(TopicArn);
  assert.deepEqual(
    failures,
    seen.filter((code) => code !== undefined),
    `delivery: ${name}`,
  );
  const consumer = consumerHears(queueKind, event);
  // AWS: a message of a standard retention is gone after four days, whatever became of its key.
  const kept = event !== "deleted";
  const bodies = [
    ...(publisher === undefined && deliveryFails(queueKind, event) === undefined ? ["after"] : []),
    ...(kept && deliveryFails(queueKind, "before") === undefined ? ["before"] : []),
  ];
  const expected = kept && consumer !== undefined ? consumer : bodies;
  assert.deepEqual(await receiveAll(QueueUrl), expected, `consumer: ${name}`);
}
