import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  type QueueAttributeName,
  RemovePermissionCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { awsError, createQueue, queryCall, type SqsScene, sqsScene } from "./sqs-scene.ts";

// Goal: attributes of queues are shown, checked and changed as on AWS, policies included.
// Method: the real SDK over HTTPS; codes, texts and status as recorded in the fact sheets.

let scene: SqsScene;
let sqs: SQSClient;
before(async () => {
  scene = await sqsScene();
  sqs = scene.sqs;
});
after(() => scene.stop());

type Attributes = Partial<Record<QueueAttributeName, string>>;

async function attributesOf(QueueUrl: string, names: QueueAttributeName[] = ["All"]) {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names });
  return (await sqs.send(command)).Attributes ?? {};
}
const set = (QueueUrl: string, Attributes: Attributes) =>
  sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
const pathOf = (url: string) => new URL(url).pathname;
const arnOf = (name: string) => `arn:aws:sqs:${scene.region}:${scene.accountId}:${name}`;

test("a new queue has the attributes that AWS gives it", async () => {
  const url = await createQueue(sqs, "fresh");
  assert.match(url, new RegExp(`^https://.+/${scene.accountId}/fresh$`));
  const { CreatedTimestamp, LastModifiedTimestamp, ...rest } = await attributesOf(url);
  assert.match(CreatedTimestamp ?? "", /^\d{10}$/);
  assert.equal(LastModifiedTimestamp, CreatedTimestamp);
  assert.deepEqual(rest, {
    ApproximateNumberOfMessages: "0",
    ApproximateNumberOfMessagesDelayed: "0",
    ApproximateNumberOfMessagesNotVisible: "0",
    DelaySeconds: "0",
    MaximumMessageSize: "1048576",
    MessageRetentionPeriod: "345600",
    QueueArn: arnOf("fresh"),
    ReceiveMessageWaitTimeSeconds: "0",
    SqsManagedSseEnabled: "true",
    VisibilityTimeout: "30",
  });
  assert.deepEqual(await attributesOf(url, []), {});
  assert.deepEqual(await attributesOf(url, ["QueueArn", "Policy", "KmsMasterKeyId"]), {
    QueueArn: arnOf("fresh"),
  });
  await assert.rejects(
    attributesOf(url, ["Nonsense" as QueueAttributeName]),
    awsError("InvalidAttributeName", "Unknown Attribute Nonsense."),
  );
});

test("attributes out of range are refused", async () => {
  const url = await createQueue(sqs, "ranges");
  const wrong: readonly [QueueAttributeName, string][] = [
    ["DelaySeconds", "901"],
    ["MaximumMessageSize", "1023"],
    ["MaximumMessageSize", "1048577"],
    ["MessageRetentionPeriod", "59"],
    ["ReceiveMessageWaitTimeSeconds", "21"],
    ["VisibilityTimeout", "43201"],
    ["VisibilityTimeout", "-1"],
    ["VisibilityTimeout", "1.5"],
    ["VisibilityTimeout", " 1"],
    ["VisibilityTimeout", ""],
    ["KmsDataKeyReusePeriodSeconds", "59"],
    ["SqsManagedSseEnabled", "yes"],
  ];
  for (const [name, value] of wrong) {
    const expected = awsError("InvalidAttributeValue", `Invalid value for the parameter ${name}.`);
    await assert.rejects(set(url, { [name]: value }), expected);
  }
  await assert.rejects(
    set(url, { QueueArn: "x" }),
    awsError("InvalidAttributeName", "Unknown Attribute QueueArn."),
  );
  await assert.rejects(
    set(url, { FifoThroughputLimit: "perQueue" }),
    awsError(
      "InvalidAttributeName",
      "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
    ),
  );
  await assert.rejects(
    set(url, {}),
    awsError("MissingParameter", "The request must contain the parameter Attribute.Name.", {
      query: "MissingParameter",
    }),
  );
});

test("the two kinds of encryption exclude each other as on AWS", async () => {
  const url = await createQueue(sqs, "sse");
  const sse = async () => {
    const { SqsManagedSseEnabled, KmsMasterKeyId, KmsDataKeyReusePeriodSeconds } =
      await attributesOf(url);
    return [SqsManagedSseEnabled, KmsMasterKeyId, KmsDataKeyReusePeriodSeconds];
  };
  await set(url, { KmsMasterKeyId: "testKeyId" });
  assert.deepEqual(await sse(), ["false", "testKeyId", "300"]);
  await set(url, { KmsDataKeyReusePeriodSeconds: "60" });
  assert.deepEqual(await sse(), ["false", "testKeyId", "60"]);
  await set(url, { KmsMasterKeyId: "" });
  assert.deepEqual(await sse(), ["false", undefined, undefined]);
  await set(url, { KmsMasterKeyId: "alias/x" });
  await set(url, { SqsManagedSseEnabled: "True" });
  assert.deepEqual(await sse(), ["true", undefined, undefined]);
  await assert.rejects(
    set(url, { KmsMasterKeyId: "alias/x", SqsManagedSseEnabled: "true" }),
    awsError("InvalidAttributeName", /^You can use one type of server-side encryption/),
  );
});

test("redrive policies are checked", async () => {
  const url = await createQueue(sqs, "source");
  const dead = await createQueue(sqs, "dead");
  const redrive = (policy: object | string) =>
    set(url, { RedrivePolicy: typeof policy === "string" ? policy : JSON.stringify(policy) });
  const deadLetterTargetArn = arnOf("dead");
  const wrong: readonly [object | string, RegExp][] = [
    ["[]", /^Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid/],
    [{ deadLetterTargetArn }, /does not contain mandatory attribute: maxReceiveCount\.$/],
    [{ maxReceiveCount: 3 }, /does not contain mandatory attribute: deadLetterTargetArn\.$/],
    [
      { deadLetterTargetArn, maxReceiveCount: -36 },
      /maxReceiveCount: -36, valid values are from 1 to 1000 both inclusive\.$/,
    ],
    [{ deadLetterTargetArn: "dead", maxReceiveCount: 3 }, /ARN should be fully qualified ARN\.$/],
    [{ deadLetterTargetArn: "arn:aws:sns:a:b:c", maxReceiveCount: 3 }, /Only SQS queues are valid/],
    [{ deadLetterTargetArn: arnOf("none"), maxReceiveCount: 3 }, /target does not exist\.$/],
    [{ deadLetterTargetArn: arnOf("d.fifo"), maxReceiveCount: 3 }, /must be same type of queue/],
    [{ deadLetterTargetArn: arnOf("source"), maxReceiveCount: 3 }, /its own dead-letter queue/],
    [
      { deadLetterTargetArn, maxReceiveCount: 3, more: 1 },
      /Only following attributes are supported: \[maxReceiveCount, deadLetterTargetArn\]\.$/,
    ],
  ];
  for (const [policy, message] of wrong) {
    await assert.rejects(redrive(policy), awsError("InvalidParameterValue", message));
  }
  const text = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: "1000" });
  await redrive(text);
  assert.equal((await attributesOf(url)).RedrivePolicy, text);
  const sources = new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead });
  assert.deepEqual((await sqs.send(sources)).queueUrls, [url]);
  await set(dead, { RedriveAllowPolicy: JSON.stringify({ redrivePermission: "denyAll" }) });
  await assert.rejects(redrive(text), awsError("InvalidParameterValue", /redrive allow/));
  await redrive("");
  assert.equal((await attributesOf(url)).RedrivePolicy, undefined);
  assert.deepEqual((await sqs.send(sources)).queueUrls ?? [], []);
});

test("redrive allow policies are checked", async () => {
  const url = await createQueue(sqs, "allowing");
  const allow = (policy: object) => set(url, { RedriveAllowPolicy: JSON.stringify(policy) });
  const arns = Array.from({ length: 11 }, (_, n) => arnOf(`q${n}`));
  const shapeless =
    "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the " +
    "redrive allow policy, as it’s in an unsupported format.";
  for (const policy of [{ redrivePermission: "some" }, { redrivePermission: "denyAll", x: 1 }]) {
    await assert.rejects(allow(policy), awsError("InvalidParameterValue", shapeless));
  }
  const wrong: readonly [object, string][] = [
    [
      { redrivePermission: "byQueue" },
      "When you specify the byQueue permission type, you must also specify one or more " +
        "sourceQueueArns values.",
    ],
    [
      { redrivePermission: "byQueue", sourceQueueArns: arns },
      "The maximum number of source queue ARNs you can specify is 10.",
    ],
    [
      { redrivePermission: "allowAll", sourceQueueArns: [arns[0]] },
      "To specify one or more source queue ARNs, you must set redrivePermission to byQueue.",
    ],
  ];
  for (const [policy, reason] of wrong) {
    const message =
      `Value ${JSON.stringify(policy)} for parameter RedriveAllowPolicy is invalid. Reason: ` +
      `Amazon SQS can't create the redrive allow policy. ${reason}`;
    await assert.rejects(allow(policy), awsError("InvalidParameterValue", message));
  }
  await allow({ redrivePermission: "byQueue", sourceQueueArns: arns.slice(1) });
});

test("a policy has AWS's quotas, in both protocols and by AddPermission", async () => {
  const url = await createQueue(sqs, "quotas");
  const allow = (more: object) => ({ Effect: "Allow", Principal: "*", Action: "sqs:*", ...more });
  const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
  const many = <T>(count: number, of: (n: number) => T) =>
    Array.from({ length: count }, (_, n) => of(n));
  const action = (n: number) => `sqs:${"ab"[n % 2]}*${"x".repeat(n)}`;
  const account = (n: number) => String(100_000_000_000 + n);
  const conditions = (count: number) => ({
    StringEquals: Object.fromEntries(many(count, (n) => [`aws:RequestTag/t${n}`, "x"])),
  });
  const Resource = arnOf("quotas");
  const cases: readonly [(count: number) => string, number, string][] = [
    [
      (count) => policy(...many(count, () => allow({ Resource }))),
      20,
      "21 statements were found in the submitted policy, max allowed is 20",
    ],
    [
      (count) => policy(allow({ Resource, Action: many(count, action) })),
      7,
      "8 actions were found in a statement from the submitted policy, max allowed is 7",
    ],
    [
      (count) => policy(allow({ Resource, Principal: { AWS: many(count, account) } })),
      50,
      "51 principals were found in the submitted policy, max allowed is 50",
    ],
    [
      (count) => policy(allow({ Resource, Condition: conditions(count) })),
      10,
      "11 conditions were found in a statement from the submitted policy, max allowed is 10",
    ],
  ];
  for (const [make, most, message] of cases) {
    await set(url, { Policy: make(most) });
    await assert.rejects(set(url, { Policy: make(most + 1) }), awsError("OverLimit", message));
    const query = { "Attribute.1.Name": "Policy", "Attribute.1.Value": make(most + 1) };
    const told = await queryCall(scene, { Action: "SetQueueAttributes", ...query }, pathOf(url));
    assert.equal(told.status, 403);
    assert.match(told.text, new RegExp(`<Code>OverLimit</Code><Message>${message}</Message>`));
  }
  const padded = (bytes: number) => {
    const text = policy(allow({ Resource, Sid: "" }));
    return text.replace(`"Sid":""`, `"Sid":"${"s".repeat(bytes - text.length)}"`);
  };
  await set(url, { Policy: padded(8192) });
  const tooLong = awsError("OverLimit", "Submitted policy is over max allowed size.");
  await assert.rejects(set(url, { Policy: padded(8193) }), tooLong);
  const fromTopic = (n: number) => ({ ArnEquals: { "aws:SourceArn": `arn:aws:sns:a:1:t${n}` } });
  const subscribed = many(20, (n) => allow({ Resource, Condition: fromTopic(n) }));
  await set(url, { Policy: policy(...subscribed) });
  const add = (Label: string) =>
    sqs.send(
      new AddPermissionCommand({
        QueueUrl: url,
        Label,
        AWSAccountIds: ["111122223333"],
        Actions: ["SendMessage"],
      }),
    );
  const [statements, , principals] = cases;
  await set(url, { Policy: statements?.[0](20) });
  const tooMany = "21 Statements were found, maximum allowed is 20.";
  await assert.rejects(add("more"), awsError("OverLimit", tooMany));
  await set(url, { Policy: principals?.[0](50) });
  await assert.rejects(add("more"), awsError("OverLimit", principals?.[2]));
  await set(url, { Policy: principals?.[0](49) });
  await add("more");
});

test("policies are checked, kept as written, and edited by permissions", async () => {
  const url = await createQueue(sqs, "policies");
  const wrong = ["no json", "{}", `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}`];
  for (const Policy of wrong) {
    const expected = awsError("InvalidAttributeValue", /^Invalid value for the parameter Policy\./);
    await assert.rejects(set(url, { Policy }), expected);
  }
  const add = (Label: string, Actions: string[], AWSAccountIds = ["111122223333"]) =>
    sqs.send(new AddPermissionCommand({ QueueUrl: url, Label, Actions, AWSAccountIds }));
  await add("one", ["SendMessage"]);
  assert.deepEqual(JSON.parse((await attributesOf(url)).Policy ?? ""), {
    Version: "2008-10-17",
    Id: `${arnOf("policies")}/SQSDefaultPolicy`,
    Statement: [
      {
        Sid: "one",
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111122223333:root" },
        Action: "SQS:SendMessage",
        Resource: arnOf("policies"),
      },
    ],
  });
  const refused = (message: string) => awsError("InvalidParameterValue", message);
  await assert.rejects(
    add("one", ["*"]),
    refused("Value one for parameter Label is invalid. Reason: Already exists."),
  );
  await assert.rejects(
    add("two", ["SendMessageBatch"]),
    refused(
      "Value SQS:SendMessageBatch for parameter ActionName is invalid. " +
        "Reason: Please refer to the appropriate WSDL for a list of valid actions.",
    ),
  );
  await assert.rejects(
    add("two", ["DeleteQueue"]),
    refused(
      "Value SQS:DeleteQueue for parameter ActionName is invalid. " +
        "Reason: Only the queue owner is allowed to invoke this action.",
    ),
  );
  const remove = (Label: string) => sqs.send(new RemovePermissionCommand({ QueueUrl: url, Label }));
  await assert.rejects(
    remove("two"),
    refused("Value two for parameter Label is invalid. Reason: can't find label."),
  );
  await remove("one");
  assert.equal((await attributesOf(url)).Policy, undefined);
});
