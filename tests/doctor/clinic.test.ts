// Goal: doctor finds the one permission that is missing, names its place, and what it tells to
// paste mends it. Method: the clinic of the demo with real clients; every permission is taken away
// in turn, the failure is seen by a real publish and receive, doctor's hop is compared, its
// statements are pasted, and the records arrive again.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { keyPolicy, queuePolicy } from "../../src/cli/demo/policies.ts";
import { workingKeyPolicy } from "../../src/cli/demo/scenario.ts";
import type { Hop } from "../../src/doctor/hop.ts";
import { type ClinicScene, clinicScene, denied, doctorText, paste, path } from "./scene.ts";

let scene: ClinicScene;
before(async () => {
  scene = await clinicScene();
});
afterEach(() => restore());
after(() => scene.stop());

const arnOf = (resource: string) => `arn:aws:iam::${scene.clinic.accountId}:user/${resource}`;
const queueArn = (name: string) =>
  `arn:aws:sqs:${scene.server.region}:${scene.clinic.accountId}:${name}`;
const clinicPath = () => path(scene.server, scene.clinic.topicArn);

interface StatementText {
  readonly Sid?: string;
  readonly Action: string | readonly string[];
}

/** The key policy of the article, changed. */
async function changeKeyPolicy(change: (statements: StatementText[]) => StatementText[]) {
  const document = JSON.parse(workingKeyPolicy(scene.clinic.accountId));
  const Policy = JSON.stringify({ ...document, Statement: change(document.Statement) });
  const BypassPolicyLockoutSafetyCheck = true;
  const KeyId = scene.clinic.keyArn;
  await scene.clinic.administrator.kms.putKeyPolicy({
    KeyId,
    Policy,
    BypassPolicyLockoutSafetyCheck,
  });
}

const withActions = (sid: RegExp, Action: readonly string[]) => () =>
  changeKeyPolicy((all) => all.map((one) => (sid.test(one.Sid ?? "") ? { ...one, Action } : one)));

/** Puts a user's policy of the clinic in another form. */
async function putUserPolicy(UserName: string, PolicyName: string, Statement: object) {
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await scene.root.iam.putUserPolicy({ UserName, PolicyName, PolicyDocument });
}

async function consumerWithout(system: string, action: string) {
  const Resource = queueArn(`${system}-Integration`);
  const rights = [
    { Effect: "Allow", Action: "sqs:ReceiveMessage", Resource },
    { Effect: "Allow", Action: "sqs:DeleteMessage", Resource },
    { Effect: "Allow", Action: "kms:Decrypt", Resource: scene.clinic.keyArn },
  ];
  const left = rights.filter(({ Action }) => Action !== action);
  await putUserPolicy(`${system}System`, "clinic", left);
}

async function setQueuePolicy(system: string, Policy: string) {
  const url = scene.clinic.queues.find(({ name }) => name.startsWith(system))?.url;
  await scene.root.sqs.setQueueAttributes({ QueueUrl: url, Attributes: { Policy } });
}

/** Everything as the clinic was set up; what was pasted goes. */
async function restore() {
  await changeKeyPolicy((all) => all);
  await scene.root.kms.enableKey({ KeyId: scene.clinic.keyArn });
  const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topic() };
  await putUserPolicy("EMRUser", "publish", [publish]);
  for (const system of systems) {
    await consumerWithout(system, "nothing");
    await setQueuePolicy(system, queuePolicy(queueArn(`${system}-Integration`), topic()));
  }
  for (const UserName of ["EMRUser", "BillingSystem", "SchedulingSystem", "PrescriptionSystem"]) {
    const { PolicyNames = [] } = await scene.root.iam.listUserPolicies({ UserName });
    for (const PolicyName of PolicyNames.filter((name) => name.startsWith("pasted"))) {
      await scene.root.iam.deleteUserPolicy({ UserName, PolicyName });
    }
  }
}

interface Case {
  readonly what: string;
  readonly remove: () => Promise<unknown>;
  /** Of the denied hops: action, and who is before and after. */
  readonly hops: () => readonly (readonly [action: string, from: string, to: string])[];
  readonly attachTo: () => string;
  /** What a real publish and receive come to. */
  readonly fails: readonly string[];
}

const systems = ["Billing", "Prescription", "Scheduling"] as const;
const queues = systems.map((system) => `${system}-Integration`);
const key = () => scene.clinic.keyArn;
const topic = () => scene.clinic.topicArn;

const cases: readonly Case[] = [
  {
    what: "EMRUser's sns:Publish",
    remove: () => scene.root.iam.deleteUserPolicy({ UserName: "EMRUser", PolicyName: "publish" }),
    hops: () => [["sns:Publish", arnOf("EMRUser"), topic()]],
    attachTo: () => `identity policy of ${arnOf("EMRUser")}`,
    fails: ["publish"],
  },
  {
    what: "EMRUser's kms:GenerateDataKey",
    remove: withActions(/SNS IAM User/, ["kms:Decrypt"]),
    hops: () => [["kms:GenerateDataKey", arnOf("EMRUser"), key()]],
    attachTo: () => `identity policy of ${arnOf("EMRUser")}`,
    fails: ["publish"],
  },
  {
    what: "EMRUser's kms:Decrypt",
    remove: withActions(/SNS IAM User/, ["kms:GenerateDataKey*"]),
    hops: () => [["kms:Decrypt", arnOf("EMRUser"), key()]],
    attachTo: () => `identity policy of ${arnOf("EMRUser")}`,
    fails: ["publish"],
  },
  {
    what: "kms:GenerateDataKey of sns.amazonaws.com",
    remove: withActions(/Service Principal/, ["kms:Decrypt"]),
    hops: () => queues.map((name) => ["kms:GenerateDataKey", queueArn(name), key()] as const),
    attachTo: () => `key policy of ${key()}`,
    fails: queues,
  },
  {
    what: "the delegation of the key to the account",
    remove: () => changeKeyPolicy((all) => all.filter(({ Sid }) => !/Root/.test(Sid ?? ""))),
    hops: () => systems.map((name) => ["kms:Decrypt", arnOf(`${name}System`), key()] as const),
    attachTo: () => `key policy of ${key()}`,
    fails: queues,
  },
  ...systems.flatMap((system): Case[] => {
    const name = `${system}-Integration`;
    const user = () => arnOf(`${system}System`);
    return [
      {
        what: `the queue policy of ${name}`,
        remove: () => setQueuePolicy(system, ""),
        hops: () => [["sqs:SendMessage", topic(), queueArn(name)]],
        attachTo: () => `queue policy of ${queueArn(name)}`,
        fails: [name],
      },
      {
        what: `${system}System's sqs:ReceiveMessage`,
        remove: () => consumerWithout(system, "sqs:ReceiveMessage"),
        hops: () => [["sqs:ReceiveMessage", user(), queueArn(name)]],
        attachTo: () => `identity policy of ${user()}`,
        fails: [name],
      },
      {
        what: `${system}System's kms:Decrypt`,
        remove: () => consumerWithout(system, "kms:Decrypt"),
        hops: () => [["kms:Decrypt", user(), key()]],
        attachTo: () => `identity policy of ${user()}`,
        fails: [name],
      },
    ];
  }),
];

test("the healthy clinic: every hop is walked and allowed, and records arrive", async () => {
  const { hops, allowed } = await clinicPath();
  assert.equal(allowed, true, JSON.stringify(hops.filter((hop) => !hop.allowed)));
  assert.deepEqual(await scene.try(), []);
  const walked = hops.map(({ from, to, action }) => [action, from, to]);
  const publisher = arnOf("EMRUser");
  const wanted = [
    ["sns:Publish", publisher, topic()],
    ["kms:GenerateDataKey", publisher, key()],
    ["kms:Decrypt", publisher, key()],
    ...systems.flatMap((system) => {
      const queue = queueArn(`${system}-Integration`);
      return [
        ["sqs:SendMessage", topic(), queue],
        ["kms:GenerateDataKey", queue, key()],
        ["sqs:ReceiveMessage", arnOf(`${system}System`), queue],
        ["kms:Decrypt", arnOf(`${system}System`), key()],
      ];
    }),
  ];
  const sorted = (list: readonly (readonly string[])[]) => list.map((one) => one.join(" ")).sort();
  assert.deepEqual(sorted(walked), sorted(wanted), "EMRAdmin's sqs:* on * makes no consumer");
  for (const hop of hops) assert.ok(hop.statements.length > 0, hop.reason);
  assert.match(hops[0]?.reason ?? "", /policy publish of .*EMRUser; by signed HTTPS requests/);
});

for (const { what, remove, hops, attachTo, fails } of cases) {
  test(`without ${what}: exactly that hop, and what is pasted mends it`, async () => {
    await remove();
    assert.deepEqual((await scene.try()).toSorted(), fails);
    const found = await clinicPath();
    assert.deepEqual(denied(found).map(shape), hops());
    for (const hop of denied(found)) {
      assert.equal(hop.missing?.attachTo, attachTo(), hop.reason);
      assert.deepEqual([hop.missing?.statement.Action], [hop.action], "no right more than that");
      await pasteOnce(hop);
    }
    assert.equal((await clinicPath()).allowed, true);
    assert.deepEqual(await scene.try(), []);
  });
}

const shape = ({ action, from, to }: Hop) => [action, from, to] as const;
const pasted = new Set<string>();

async function pasteOnce({ missing }: Hop): Promise<void> {
  const text = JSON.stringify(missing);
  if (!missing || pasted.has(text)) return;
  pasted.add(text);
  // The key's administrator, since root may have no right to it.
  const { iam, sns, sqs } = scene.root;
  await paste({ iam, sns, sqs, kms: scene.clinic.administrator.kms }, missing);
}

test("the twin: kms:Decrypt of sns.amazonaws.com is not needed, and doctor asks for none", async () => {
  await withActions(/Service Principal/, ["kms:GenerateDataKey*"])();
  assert.equal((await clinicPath()).allowed, true);
  assert.deepEqual(await scene.try(), []);
});

test("a publisher who is named may be anyone: he is asked about alone", async () => {
  const who = arnOf("BillingSystem");
  const found = await path(scene.server, topic(), "--publisher", who);
  const [publish, generate] = denied(found);
  assert.deepEqual(publish && shape(publish), ["sns:Publish", who, topic()]);
  assert.deepEqual(generate && shape(generate), ["kms:GenerateDataKey", who, key()]);
  assert.equal(denied(found).length, 2, "kms:Decrypt he has");
  const root = `arn:aws:iam::${scene.clinic.accountId}:root`;
  assert.equal((await path(scene.server, topic(), "--publisher", root)).allowed, true);
});

test("an explicit Deny is named; no statement is offered against it", async () => {
  const Resource = scene.clinic.keyArn;
  await putUserPolicy("EMRUser", "forbid", [
    { Sid: "NoKeys", Effect: "Deny", Action: "kms:Gen*", Resource },
  ]);
  assert.deepEqual(await scene.try(), ["publish"]);
  const [hop, ...others] = denied(await clinicPath());
  assert.equal(others.length, 0);
  assert.equal(hop?.action, "kms:GenerateDataKey");
  assert.equal(hop?.missing, undefined);
  assert.match(hop?.reason ?? "", /explicitly denied by Statement\[0\] "NoKeys" of policy forbid/);
  const [statement] = hop?.statements ?? [];
  assert.equal(statement?.policyName, "forbid");
  assert.deepEqual(statement?.statement, {
    ...{ Sid: "NoKeys", Effect: "Deny", Action: "kms:Gen*", Resource },
  });
  await scene.root.iam.deleteUserPolicy({ UserName: "EMRUser", PolicyName: "forbid" });
  assert.equal((await clinicPath()).allowed, true);
});

test("the key's state is a reason of its own, which no statement mends", async () => {
  const { kms } = scene.clinic.administrator;
  const KeyId = scene.clinic.keyArn;
  await kms.disableKey({ KeyId });
  const disabled = denied(await clinicPath());
  assert.equal(disabled.length, 2 + 3 + 3, "publisher, deliveries, consumers");
  for (const { reason, missing } of disabled) {
    assert.match(reason, /is disabled, so nobody can use it: kms:EnableKey/);
    assert.equal(missing, undefined);
  }
  await kms.enableKey({ KeyId });
  await kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  assert.match(denied(await clinicPath())[0]?.reason ?? "", /pending deletion .*CancelKeyDeletion/);
  await kms.cancelKeyDeletion({ KeyId });
  await kms.enableKey({ KeyId });
  assert.equal((await clinicPath()).allowed, true);
});

test("a key that is not there is said to be missing, by the name that topic and queues use", async () => {
  const sns = scene.root.sns;
  const set = (AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn: topic(), AttributeName: "KmsMasterKeyId", AttributeValue });
  const { Attributes } = await sns.getTopicAttributes({ TopicArn: topic() });
  await set("alias/Nothing");
  assert.deepEqual(await scene.try(), ["publish"]);
  const reasons = denied(await clinicPath()).map(({ reason }) => reason);
  assert.equal(reasons.length, 2);
  assert.match(reasons[0] ?? "", /there is no alias .*alias\/Nothing/);
  await set(Attributes?.KmsMasterKeyId ?? "");
  assert.equal((await clinicPath()).allowed, true);
});

test("a queue that was deleted, and the human form of it all", async () => {
  const { SubscriptionArn } = await scene.root.sns.subscribe({
    TopicArn: topic(),
    Protocol: "sqs",
    Endpoint: queueArn("Gone"),
    ReturnSubscriptionArn: true,
  });
  const [hop] = denied(await clinicPath());
  assert.match(hop?.reason ?? "", /there is no queue .*Gone/);
  const text = await doctorText(scene.server, "path", "--topic", topic());
  assert.match(text, /^✔ user\/EMRUser +→ sns:Patient-Records +sns:Publish$/m);
  assert.match(text, /^✖ sns:Patient-Records +→ sqs:Gone +sqs:SendMessage$/m);
  assert.match(text, /denied: 1 of \d+ hops\n$/);
  assert.equal(text.includes("\u001b"), false, "colour is for terminals");
  await scene.root.sns.unsubscribe({ SubscriptionArn });
});

test("a key policy without the user: the statement is for the key where IAM has no force", async () => {
  const { accountId } = scene.clinic;
  const parts = { accountId, userActions: ["kms:DescribeKey"], admitsSns: true };
  const all: StatementText[] = JSON.parse(keyPolicy(parts)).Statement;
  await changeKeyPolicy(() => all.filter(({ Sid }) => !/Root/.test(Sid ?? "")));
  assert.deepEqual(await scene.try(), ["publish"]);
  const found = denied(await clinicPath()).filter(({ from }) => from === arnOf("EMRUser"));
  for (const { missing } of found) {
    assert.equal(missing?.attachTo, `key policy of ${key()}`);
    assert.deepEqual(missing?.statement.Principal, { AWS: arnOf("EMRUser") });
    assert.deepEqual(missing?.statement.Condition, {
      StringEquals: { "kms:ViaService": `sns.${scene.server.region}.amazonaws.com` },
    });
  }
  assert.equal(found.length, 2);
});
