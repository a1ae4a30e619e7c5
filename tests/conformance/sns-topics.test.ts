// Goal: topics are made, changed, listed and removed as in AWS, with its codes and texts. Method:
// the real SDK client against a server over HTTPS; one server for the file, one topic per test.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { invalid, makeTopic, refuses, type SnsScene, snsScene, topicArn } from "./sns-scene.ts";

let scene: SnsScene;
before(async () => {
  scene = await snsScene();
});
after(() => scene.server.stop());

test("CreateTopic is idempotent by name, and strict about what differs", async () => {
  const { sns } = scene;
  const Tags = [{ Key: "team", Value: "a" }];
  const Attributes = { DisplayName: "Orders", FifoTopic: "false" };
  const first = await sns.createTopic({ Name: "idem", Attributes, Tags });
  assert.equal(first.TopicArn, topicArn(scene, "idem"));
  for (const repeat of [{}, { Attributes }, { Tags }, { Attributes, Tags }]) {
    const again = await sns.createTopic({ Name: "idem", ...repeat });
    assert.equal(again.TopicArn, first.TopicArn);
  }
  const attributes = "Attributes Reason: Topic already exists with different attributes";
  await invalid(sns.createTopic({ Name: "idem", Attributes: { DisplayName: "x" } }), attributes);
  await invalid(
    sns.createTopic({ Name: "idem", Attributes: { SignatureVersion: "2" } }),
    attributes,
  );
  await invalid(
    sns.createTopic({ Name: "idem", Tags: [{ Key: "team", Value: "b" }] }),
    "Tags Reason: Topic already exists with different tags",
  );
});

test("names", async () => {
  const { sns } = scene;
  for (const Name of ["", "a b", "a.b", "x".repeat(257), "a.fifo"]) {
    await invalid(sns.createTopic({ Name }), "Topic Name");
  }
  const Attributes = { FifoTopic: "true" };
  await invalid(sns.createTopic({ Name: "plain", Attributes }), "Topic Name");
  await invalid(
    sns.createTopic({ Name: "dedup", Attributes: { ContentBasedDeduplication: "true" } }),
    /ContentBasedDeduplication: is valid for FIFO topics only/,
  );
});

test("a fresh topic has exactly AWS's attributes", async () => {
  const TopicArn = await makeTopic(scene.sns, "fresh");
  const { Attributes = {} } = await scene.sns.getTopicAttributes({ TopicArn });
  const { Policy = "", EffectiveDeliveryPolicy, ...others } = Attributes;
  assert.deepEqual(others, {
    DisplayName: "",
    Owner: scene.accountId,
    SubscriptionsConfirmed: "0",
    SubscriptionsDeleted: "0",
    SubscriptionsPending: "0",
    TopicArn,
  });
  assert.equal(
    EffectiveDeliveryPolicy,
    '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,' +
      '"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,' +
      '"backoffFunction":"linear"},"disableSubscriptionOverrides":false,' +
      '"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}',
  );
  const { Id, Statement } = JSON.parse(Policy);
  assert.equal(Id, "__default_policy_ID");
  assert.deepEqual(Statement[0].Condition, {
    StringEquals: { "AWS:SourceOwner": scene.accountId },
  });
});

test("SetTopicAttributes keeps, checks and removes", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "attributes");
  const set = (AttributeName: string, AttributeValue?: string) =>
    sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue });
  const shown = async () => (await sns.getTopicAttributes({ TopicArn })).Attributes ?? {};
  const values = {
    DisplayName: "Näme",
    KmsMasterKeyId: "anything at all",
    MaximumMessageSize: "1048576",
    SignatureVersion: "2",
    TracingConfig: "Active",
    SQSSuccessFeedbackSampleRate: "10",
    SQSFailureFeedbackRoleArn: "arn:aws:iam::123456789012:role/logs",
  };
  for (const [name, value] of Object.entries(values)) await set(name, value);
  const before = await shown();
  for (const [name, value] of Object.entries(values)) assert.equal(before[name], value);
  await set("KmsMasterKeyId", "");
  await set("SQSFailureFeedbackRoleArn", "");
  assert.equal("KmsMasterKeyId" in (await shown()), false);
  await invalid(set("FifoTopic", "true"), "AttributeName");
  await invalid(set("Nonsense", "1"), "AttributeName");
  await invalid(set("Owner", "1"), "AttributeName");
  for (const size of ["", "1023", "1048577", " 2048", "2048.0", "-1"]) {
    const rest = "is not an integer between 1024 and 1048576 bytes";
    await invalid(set("MaximumMessageSize", size), `MaximumMessageSize: ${size} ${rest}`);
  }
  await invalid(set("SignatureVersion", "3"), /^Invalid parameter: SignatureVersion/);
  await invalid(set("SQSSuccessFeedbackSampleRate", "101"), /SQSSuccessFeedbackSampleRate/);
  await invalid(set("ArchivePolicy", "{}"), /ArchivePolicy: is valid for FIFO topics only/);
});

test("large messages are for queues, functions and streams alone", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "large");
  const subscribe = (Protocol: string, Endpoint: string) =>
    sns.subscribe({ TopicArn, Protocol, Endpoint });
  const set = (AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn, AttributeName: "MaximumMessageSize", AttributeValue });
  const text =
    "MaximumMessageSize greater than 262144 bytes is not supported for the following protocol: ";
  await subscribe("email", "a@b.example");
  await set("262144");
  await invalid(set("262145"), `${text}[email]`);
  const other = await makeTopic(sns, "larger", { MaximumMessageSize: "1048576" });
  await invalid(
    sns.subscribe({ TopicArn: other, Protocol: "sms", Endpoint: "+123123123" }),
    `${text}[sms]`,
  );
});

test("a data protection policy is kept; a statement that would act is refused", async () => {
  const { sns } = scene;
  const policy = (Operation: object) =>
    JSON.stringify({
      Name: "p",
      Version: "2021-06-01",
      Statement: [
        {
          Sid: "one",
          DataDirection: "Inbound",
          Principal: ["*"],
          DataIdentifier: ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"],
          Operation,
        },
      ],
    });
  const idle = policy({ Audit: { SampleRate: "0", FindingsDestination: {} } });
  const ResourceArn = await makeTopic(sns, "protected");
  const get = async () => (await sns.getDataProtectionPolicy({ ResourceArn })).DataProtectionPolicy;
  const put = (DataProtectionPolicy: string) =>
    sns.putDataProtectionPolicy({ ResourceArn, DataProtectionPolicy });
  assert.equal(await get(), undefined);
  await put(idle);
  assert.equal(await get(), idle);
  await invalid(put(policy({ Deny: {} })), /the statement one \(Deny\) could not act/);
  await invalid(put("[]"), "DataProtectionPolicy Reason: must be a JSON object");
  await invalid(put('{"Name":"p","Version":"1"}'), /Version must be 2021-06-01/);
  const { Attributes } = await sns.getTopicAttributes({ TopicArn: ResourceArn });
  assert.equal(Attributes?.DataProtectionPolicy, undefined);
  await put("");
  assert.equal(await get(), undefined);
  const made = await sns.createTopic({ Name: "protected-2", DataProtectionPolicy: idle });
  const answer = await sns.getDataProtectionPolicy({ ResourceArn: made.TopicArn });
  assert.equal(answer.DataProtectionPolicy, idle);
});

test("nobody has opted out where no phone is reached", async () => {
  const { sns } = scene;
  const phoneNumber = "+123123123";
  assert.equal((await sns.checkIfPhoneNumberIsOptedOut({ phoneNumber })).isOptedOut, false);
  assert.deepEqual((await sns.listPhoneNumbersOptedOut({})).phoneNumbers, []);
});

test("a delivery policy is checked and merged", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "delivery");
  const set = (AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn, AttributeName: "DeliveryPolicy", AttributeValue });
  await set(
    '{"http":{"defaultHealthyRetryPolicy":{"numRetries":10},"disableSubscriptionOverrides":true}}',
  );
  const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn });
  const { http } = JSON.parse(Attributes.EffectiveDeliveryPolicy ?? "");
  assert.equal(http.defaultHealthyRetryPolicy.numRetries, 10);
  assert.equal(http.defaultHealthyRetryPolicy.minDelayTarget, 20);
  assert.equal(http.disableSubscriptionOverrides, true);
  await invalid(set("{"), /DeliveryPolicy: failed to parse JSON/);
  await invalid(set('{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}'), /numRetries/);
  await invalid(set('{"http":{"surprise":1}}'), /surprise/);
  await set("");
  const after = (await sns.getTopicAttributes({ TopicArn })).Attributes ?? {};
  assert.equal("DeliveryPolicy" in after, false);
});

test("ARNs are checked before anything else", async () => {
  const { sns } = scene;
  const get = (TopicArn: string) => sns.getTopicAttributes({ TopicArn });
  const few = "TopicArn Reason: An ARN must have at least 6 elements, not";
  await invalid(get(""), `${few} 1`);
  await invalid(get("arn:aws:sns"), `${few} 3`);
  await invalid(get(topicArn(scene, "fresh", "eu-west-1")), "TopicArn");
  await invalid(get(`arn:aws:sqs:us-east-1:${scene.accountId}:fresh`), "TopicArn");
  await refuses(get(topicArn(scene, "none")), "NotFoundException", 404, "Topic does not exist");
});

test("DeleteTopic is idempotent and leaves nothing behind", async () => {
  const { sns } = scene;
  const Tags = [{ Key: "a", Value: "b" }];
  const { TopicArn = "" } = await sns.createTopic({ Name: "gone", Tags });
  await sns.deleteTopic({ TopicArn });
  await sns.deleteTopic({ TopicArn });
  await refuses(
    sns.getTopicAttributes({ TopicArn }),
    "NotFoundException",
    404,
    "Topic does not exist",
  );
  await makeTopic(sns, "gone", { DisplayName: "other" });
  const { Tags: left } = await sns.listTagsForResource({ ResourceArn: TopicArn });
  assert.deepEqual(left, []);
});

test("tags", async () => {
  const { sns } = scene;
  const ResourceArn = await makeTopic(sns, "tagged");
  await sns.tagResource({ ResourceArn, Tags: [{ Key: "a", Value: "1" }] });
  await sns.tagResource({ ResourceArn, Tags: [{ Key: "__proto__", Value: "2" }] });
  await sns.untagResource({ ResourceArn, TagKeys: ["a", "none"] });
  const { Tags } = await sns.listTagsForResource({ ResourceArn });
  assert.deepEqual(Tags, [{ Key: "__proto__", Value: "2" }]);
  const twice = [
    { Key: "k", Value: "1" },
    { Key: "k", Value: "2" },
  ];
  await invalid(sns.tagResource({ ResourceArn, Tags: twice }), "Duplicated keys are not allowed.");
  const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" }));
  await refuses(
    sns.tagResource({ ResourceArn, Tags: many }),
    "TagLimitExceededException",
    400,
    /quota/,
  );
  await refuses(
    sns.listTagsForResource({ ResourceArn: topicArn(scene, "none") }),
    "ResourceNotFoundException",
    404,
    "Resource does not exist",
  );
});

test("AddPermission and RemovePermission edit the policy", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "shared");
  const add = (Label: string, ActionName: string[]) =>
    sns.addPermission({ TopicArn, Label, AWSAccountId: ["111122223333"], ActionName });
  await add("one", ["Publish"]);
  const policy = async () => {
    const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn });
    return JSON.parse(Attributes.Policy ?? "").Statement;
  };
  assert.deepEqual((await policy())[1], {
    Sid: "one",
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::111122223333:root" },
    Action: "SNS:Publish",
    Resource: TopicArn,
  });
  await invalid(add("one", ["Publish"]), "Statement already exists");
  await invalid(add("two", ["Fly"]), "Policy statement action out of service scope!");
  await add("two", ["Publish", "Subscribe"]);
  assert.deepEqual((await policy())[2].Action, ["SNS:Publish", "SNS:Subscribe"]);
  await sns.removePermission({ TopicArn, Label: "one" });
  await sns.removePermission({ TopicArn, Label: "none" });
  assert.deepEqual(
    (await policy()).map(({ Sid }: { Sid: string }) => Sid),
    ["__default_statement_ID", "two"],
  );
});

test("policies are checked when they are saved", async () => {
  const { sns } = scene;
  const TopicArn = await makeTopic(sns, "guarded");
  const statement = { Effect: "Allow", Principal: "*", Action: "sns:Publish", Resource: TopicArn };
  const set = (changes: object) =>
    sns.setTopicAttributes({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ ...statement, ...changes }],
      }),
    });
  await set({});
  await invalid(
    set({ Action: "sqs:SendMessage" }),
    "Policy statement action out of service scope!",
  );
  await invalid(
    set({ Action: "sns:CreateTopic" }),
    "Policy statement action out of service scope!",
  );
  const nobody = `arn:aws:iam::${scene.accountId}:user/nobody`;
  await invalid(set({ Principal: { AWS: nobody } }), "Policy Error: PrincipalNotFound");
  await invalid(set({ Effect: "Maybe" }), /^Invalid parameter: Policy Error: /);
});

test("ListTopics pages by 100", async () => {
  const { sns } = scene;
  const west = scene.server.clients(scene.server.root, { region: "eu-west-1" }).sns;
  const names = Array.from({ length: 101 }, (_, index) => `t${String(index).padStart(3, "0")}`);
  for (const Name of names) await west.createTopic({ Name });
  const first = await west.listTopics({});
  assert.equal(first.Topics?.length, 100);
  const second = await west.listTopics({ NextToken: first.NextToken });
  assert.equal(second.NextToken, undefined);
  const arns = [...(first.Topics ?? []), ...(second.Topics ?? [])].map((topic) => topic.TopicArn);
  assert.deepEqual(
    arns,
    names.map((name) => topicArn(scene, name, "eu-west-1")),
  );
  await invalid(sns.listTopics({ NextToken: "nonsense" }), "NextToken");
});

test("a user needs a policy: the default topic policy grants users nothing", async () => {
  const TopicArn = await makeTopic(scene.sns, "owned");
  const user = await scene.server.createUser("Eve");
  const text = (action: string, resource: string) =>
    `User: ${user.arn} is not authorized to perform: SNS:${action} on resource: ${resource} ` +
    `because no identity-based policy allows the SNS:${action} action`;
  await refuses(
    user.clients.sns.publish({ TopicArn, Message: "x" }),
    "AuthorizationErrorException",
    403,
    text("Publish", TopicArn),
  );
  await refuses(
    user.clients.sns.listTopics({}),
    "AuthorizationErrorException",
    403,
    text("ListTopics", topicArn(scene, "*")),
  );
});

test("what is not built says so", async () => {
  const { message } = await scene.sns.listOriginationNumbers({}).then(
    () => assert.fail("accepted"),
    (error: Error) => error,
  );
  assert.match(message, /ListOriginationNumbers/);
});
