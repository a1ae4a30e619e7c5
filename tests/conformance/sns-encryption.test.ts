// Goal: an encrypted topic takes the publisher's rights seriously, and a hop that fails is seen and
// fails nobody else. Method: real SDK clients over HTTPS, a user whose rights change, keys that are
// switched off; what happened is read from the operator's list and from the audit.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  invalid,
  makeTopic,
  refuses,
  type SnsScene,
  snsScene,
  subscribeQueue,
  undelivered,
} from "./sns-scene.ts";

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

const daySeconds = 86_400;

/** A key whose policy delegates to the account and, if wished, admits SNS. */
async function makeKey(admitSns: boolean): Promise<string> {
  const root = `arn:aws:iam::${scene.accountId}:root`;
  const service = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: ["kms:GenerateDataKey*", "kms:Decrypt"],
    Resource: "*",
  };
  const account = { Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" };
  const Statement = admitSns ? [account, service] : [account];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  const { KeyMetadata } = await scene.kms.createKey({ Policy });
  return KeyMetadata?.Arn ?? "";
}

const allow = (...Action: string[]) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource: "*" }],
});

const suffix = (code: string) =>
  ` \\(Service: AWSKMS; Status Code: 400; Error Code: ${code}; Request ID: [0-9a-f-]{36}; ` +
  "Proxy: null\\)$";

test("three encrypted queues receive what a user with just enough rights published", async () => {
  const key = await makeKey(true);
  const TopicArn = await makeTopic(scene.sns, "records", { KmsMasterKeyId: key });
  const attributes = { KmsMasterKeyId: key };
  const names = ["billing", "scheduling", "prescription"];
  const queues = await Promise.all(
    names.map((name) => subscribeQueue(scene, TopicArn, name, { attributes, raw: true })),
  );
  const rights = allow("sns:Publish", "kms:GenerateDataKey*", "kms:Decrypt");
  const user = await scene.server.createUser("emr", rights);
  for (const Message of ["one", "two"]) await user.clients.sns.publish({ TopicArn, Message });
  for (const queue of queues) {
    const bodies = (await queue.drain()).map(({ body }) => body).sort();
    assert.deepEqual(bodies, ["one", "two"]);
  }
  assert.deepEqual(await undelivered(scene), []);
});

test("a publisher without a KMS right is refused at once, and nothing is delivered", async () => {
  const key = await makeKey(true);
  const TopicArn = await makeTopic(scene.sns, "rights", { KmsMasterKeyId: key });
  const queue = await subscribeQueue(scene, TopicArn, "rights");
  const without = await scene.server.createUser("nokms", allow("sns:Publish"));
  const publish = (sns: SnsScene["sns"]) => sns.publish({ TopicArn, Message: "m" });
  const text =
    `^User: ${without.arn} is not authorized to perform: kms:GenerateDataKey on resource: ${key} ` +
    `because no identity-based policy allows the kms:GenerateDataKey action`;
  const denied = new RegExp(text + suffix("AccessDeniedException"));
  await refuses(publish(without.clients.sns), "KMSAccessDeniedException", 400, denied);
  await refuses(
    without.clients.sns.publishBatch({
      TopicArn,
      PublishBatchRequestEntries: [{ Id: "a", Message: "m" }],
    }),
    "KMSAccessDeniedException",
    400,
    denied,
  );
  const half = await scene.server.createUser("half", allow("sns:Publish", "kms:GenerateDataKey"));
  const undecryptable = new RegExp(`kms:Decrypt|ciphertext.*${suffix("AccessDeniedException")}`);
  await refuses(publish(half.clients.sns), "KMSAccessDeniedException", 400, undecryptable);
  const none = await scene.server.createUser("nopublish", allow("kms:*"));
  await refuses(publish(none.clients.sns), "AuthorizationErrorException", 403, /SNS:Publish/);
  assert.deepEqual(await queue.drain(), []);
  assert.deepEqual(await undelivered(scene), []);
});

test("states of the topic's key", async () => {
  const { sns, kms } = scene;
  const key = await makeKey(true);
  const TopicArn = await makeTopic(sns, "states", { KmsMasterKeyId: key });
  const queue = await subscribeQueue(scene, TopicArn, "states", { raw: true });
  const publish = () => sns.publish({ TopicArn, Message: "m" });
  await publish();
  await kms.disableKey({ KeyId: key });
  await publish();
  assert.equal((await queue.drain()).length, 2, "a data key works to the end of its period");
  await scene.server.advance(300);
  const disabled = new RegExp(`^${key} is disabled\\.${suffix("DisabledException")}`);
  await refuses(publish(), "KMSDisabledException", 400, disabled);
  await kms.scheduleKeyDeletion({ KeyId: key, PendingWindowInDays: 7 });
  const pending = new RegExp(`pending deletion.*${suffix("KMSInvalidStateException")}`);
  await refuses(publish(), "KMSInvalidStateException", 400, pending);
  const setKey = (AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn, AttributeName: "KmsMasterKeyId", AttributeValue });
  await setKey("alias/nowhere");
  const missing = new RegExp(suffix("NotFoundException"));
  await refuses(publish(), "KMSNotFoundException", 400, missing);
  assert.deepEqual(await queue.drain(), []);
  await setKey("alias/aws/sns");
  await publish();
  await setKey("");
  await publish();
  assert.equal((await queue.drain()).length, 2);
});

test("encrypted topics answer over HTTPS only", async () => {
  const TopicArn = await makeTopic(scene.sns, "tls", { KmsMasterKeyId: "alias/aws/sns" });
  const plain = scene.server.clients(scene.server.root, { plainHttp: true }).sns;
  const calls = [
    plain.publish({ TopicArn, Message: "m" }),
    plain.getTopicAttributes({ TopicArn }),
    plain.listTagsForResource({ ResourceArn: TopicArn }),
  ];
  const refused = calls.map((call) => refuses(call, "InvalidSecurityException", 403, /HTTPS/));
  await Promise.all(refused);
  const open = await makeTopic(scene.sns, "no-tls");
  assert.ok((await plain.publish({ TopicArn: open, Message: "m" })).MessageId);
});

test("a queue that cannot be reached fails visibly, and alone", async () => {
  const { sns, sqs } = scene;
  const closedKey = await makeKey(false);
  const TopicArn = await makeTopic(sns, "hops", { KmsMasterKeyId: await makeKey(true) });
  const good = await subscribeQueue(scene, TopicArn, "hop-good", { raw: true });
  const keyless = await subscribeQueue(scene, TopicArn, "hop-key", {
    attributes: { KmsMasterKeyId: closedKey },
  });
  const closed = await subscribeQueue(scene, TopicArn, "hop-policy", { closed: true });
  const gone = await subscribeQueue(scene, TopicArn, "hop-gone");
  await sqs.deleteQueue({ QueueUrl: gone.url });
  const { MessageId } = await sns.publish({ TopicArn, Message: "secret text" });
  assert.deepEqual(
    (await good.drain()).map(({ body }) => body),
    ["secret text"],
  );
  const failed = await undelivered(scene);
  const codeOf = (arn: string) =>
    failed.find(({ subscriptionArn }) => subscriptionArn === arn)?.failureCode ?? "";
  assert.equal(failed.length, 3);
  assert.ok(failed.every((each) => each.messageId === MessageId && each.attempts === 1));
  assert.ok(
    failed.every((each) => each.nextAttemptAt === null),
    "client errors are given up",
  );
  assert.match(codeOf(keyless.subscriptionArn), /^Kms(AccessDenied)/);
  assert.match(codeOf(closed.subscriptionArn), /AccessDenied/);
  assert.equal(codeOf(gone.subscriptionArn), "QueueDoesNotExist");
  assert.equal(JSON.stringify(failed).includes("secret text"), false);
  const { Events = [] } = await scene.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: closedKey }],
  });
  const denied = Events.map(({ CloudTrailEvent = "" }) => JSON.parse(CloudTrailEvent)).find(
    ({ errorCode }) => errorCode === "AccessDenied",
  );
  assert.deepEqual(denied?.userIdentity, { type: "AWSService", invokedBy: "sns.amazonaws.com" });
  assert.equal(denied?.eventName, "GenerateDataKey");
  assert.deepEqual(denied?.requestParameters.encryptionContext, { "aws:sqs:arn": keyless.arn });
  await sns.unsubscribe({ SubscriptionArn: gone.subscriptionArn });
  assert.equal((await undelivered(scene)).length, 2, "what waits goes with its subscription");
  await scene.server.advance(4 * daySeconds + 3600);
  assert.deepEqual(await undelivered(scene), [], "given-up notifications stay four days");
});

test("one GenerateDataKey and one Decrypt for each publisher and period", async () => {
  const key = await makeKey(false);
  const TopicArn = await makeTopic(scene.sns, "counted", { KmsMasterKeyId: key });
  const rights = allow("sns:Publish", "kms:GenerateDataKey", "kms:Decrypt");
  const users = [
    await scene.server.createUser("counted-1", rights),
    await scene.server.createUser("counted-2", rights),
  ];
  const round = async () => {
    for (const user of [...users, ...users])
      await user.clients.sns.publish({ TopicArn, Message: "m" });
  };
  const records = async () => {
    const { Events = [] } = await scene.cloudtrail.lookupEvents({
      LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: key }],
    });
    return Events.map(({ CloudTrailEvent = "" }) => JSON.parse(CloudTrailEvent)).filter(
      ({ eventName }) => eventName !== "CreateKey",
    );
  };
  await round();
  const first = await records();
  assert.deepEqual(first.map(({ eventName }) => eventName).sort(), [
    "Decrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKey",
  ]);
  for (const record of first) {
    assert.deepEqual(record.requestParameters.encryptionContext, { "aws:sns:topicArn": TopicArn });
    assert.equal(record.userIdentity.invokedBy, "sns.amazonaws.com");
    assert.equal(record.userIdentity.type, "IAMUser");
  }
  // The clock goes on by itself: what the first round took counts as well.
  await scene.server.advance(240);
  await round();
  assert.equal((await records()).length, 4);
  await scene.server.advance(60);
  await round();
  assert.equal((await records()).length, 8);
});

test("an unsigned publish is never taken by an encrypted topic", async () => {
  const publish = async (name: string, Attributes: Record<string, string>) => {
    const TopicArn = await makeTopic(scene.sns, name, Attributes);
    const statement = {
      Effect: "Allow",
      Principal: "*",
      Action: "sns:Publish",
      Resource: TopicArn,
    };
    await scene.sns.setTopicAttributes({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
    });
    const query = new URLSearchParams({
      Action: "Publish",
      Version: "2010-03-31",
      Message: "m",
      TopicArn,
    });
    return scene.server.send({ service: "sns", unsigned: true, path: `/?${query}` });
  };
  const open = await publish("public", {});
  assert.equal(open.status, 200, String(open.body));
  const sealed = await publish("public-sealed", { KmsMasterKeyId: "alias/aws/sns" });
  assert.equal(sealed.status, 403);
  assert.match(String(sealed.body), /<Code>InvalidSecurity<\/Code>/);
  await invalid(scene.sns.publish({ TopicArn: "x", Message: "m" }), /at least 6 elements/);
});
