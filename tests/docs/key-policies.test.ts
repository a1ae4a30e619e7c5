// Goal: every policy of docs/guide/key-policies.md admits whom it is for, and nobody else. Method:
// read the page; check each policy as KMS does when it is saved; ask the policy engine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  checkPolicy,
  type DecisionRequest,
  decide,
  globalContext,
  type PolicyCaller,
} from "../../src/auth/policy/index.ts";
import { eventSources } from "../../src/doctor/source-list.ts";

const page = readFileSync(new URL("../../docs/guide/key-policies.md", import.meta.url), "utf8");
const accountId = "111122223333";
const otherId = "444455556666";
const region = "us-east-1";
const resource = `arn:aws:kms:${region}:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

/** The policy under a heading that begins so. */
function policyOf(heading: string): string {
  const at = page.search(new RegExp(`^##+ ${heading.replace(/[()]/g, "\\$&")}`, "m"));
  assert.ok(at >= 0, `no heading ${heading}`);
  const text = /```json\n([\s\S]*?)```/.exec(page.slice(at))?.[1];
  assert.ok(text, `no policy under ${heading}`);
  return text;
}

function may(text: string, caller: PolicyCaller, action: string, via?: "sns" | "sqs"): boolean {
  const identity = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "kms:*", Resource: "*" },
  });
  const request: DecisionRequest = {
    caller,
    action,
    resource,
    resourceAccountId: accountId,
    service: "kms",
    policyKind: "key",
    // A user's own policies say yes: so the key policy alone is what is asked.
    identity: [{ name: "all", policy: { text: identity, principalIds: {} } }],
    resourcePolicy: { text, principalIds: idsOf(text) },
    context: {
      ...globalContext({
        caller,
        transport: { secure: true, sourceIp: "127.0.0.1", userAgent: "" },
        nowMs: Date.UTC(2026, 0, 1),
        region,
        service: "kms",
        resourceAccountId: accountId,
        ...(via && { via: `${via}.amazonaws.com` as const }),
      }),
      ...(via && { "kms:viaservice": `${via}.${region}.amazonaws.com` }),
    },
  };
  return decide(request).allowed;
}

/** Every principal of the page exists; its unique id is its ARN. */
function idsOf(text: string): Record<string, string> {
  const { principals } = checkPolicy(text, "key", { lengthMax: 32_768 });
  return Object.fromEntries(principals.map((arn) => [arn, `id of ${arn}`]));
}

function role(arn: string): PolicyCaller {
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  return {
    kind: "role-session",
    accountId: arn.split(":")[4] ?? "",
    arn: `arn:aws:sts::${accountId}:assumed-role/${name}/session`,
    principalId: `id of ${arn}:session`,
    accessKeyId: "ASIAEXAMPLE",
    roleArn: arn,
    roleId: `id of ${arn}`,
    sessionName: "session",
    tags: {},
  };
}

function serviceCaller(service: string, sourceArn: string, sourceAccountId: string): PolicyCaller {
  return { kind: "service", service, sourceArn, sourceAccountId } as PolicyCaller;
}

const uses = ["kms:GenerateDataKey", "kms:Decrypt"];

test("every policy of the page can be saved", () => {
  const policies = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  assert.ok(policies.length >= 20);
  for (const text of policies) checkPolicy(text, "key", { lengthMax: 32_768 });
});

for (const source of eventSources) {
  test(`${source.name}: its statement admits it, and nobody else`, () => {
    const text = policyOf(`${source.name} (`);
    const named = /"aws:SourceArn": "([^"]*)"/.exec(text)?.[1] ?? "";
    if (source.needs === "role") {
      const arn = /"AWS": "(arn:aws:iam::\d+:role[^"]*)"/.exec(text)?.[1] ?? "";
      for (const action of uses) {
        assert.equal(may(text, role(arn), action), true, action);
        const stranger = role(`arn:aws:iam::${otherId}:role/stranger`);
        assert.equal(may(text, stranger, action), false, action);
      }
      return;
    }
    const arn = named.replace("*", "one") || "arn:aws:any:::source";
    for (const action of uses) {
      const own = serviceCaller(source.service, arn, accountId);
      assert.equal(may(text, own, action), true, action);
      const another = serviceCaller("lambda.amazonaws.com", arn, accountId);
      assert.equal(may(text, another, action), false, "another service");
      assert.equal(may(text, own, "kms:ScheduleKeyDeletion"), false, "another action");
      const foreign = serviceCaller(source.service, arn, otherId);
      const conditioned = source.keySource !== "nothing";
      assert.equal(may(text, foreign, action), !conditioned, "another account's source");
    }
  });
}

test("publishers and consumers reach the key through their service only", () => {
  const text = policyOf("Publishers and consumers");
  // Their own policies allow all of KMS, and so does the account's statement, so it goes first.
  const { Statement } = JSON.parse(text);
  const alone = JSON.stringify({ Version: "2012-10-17", Statement: Statement.slice(1) });
  const publisher = role(`arn:aws:iam::${accountId}:role/publisher`);
  const consumer = role(`arn:aws:iam::${accountId}:role/consumer`);
  assert.equal(may(alone, publisher, "kms:GenerateDataKey", "sns"), true);
  assert.equal(may(alone, publisher, "kms:Decrypt", "sns"), true);
  assert.equal(may(alone, publisher, "kms:Decrypt"), false, "by hand");
  assert.equal(may(alone, publisher, "kms:GenerateDataKey", "sqs"), false);
  assert.equal(may(alone, consumer, "kms:Decrypt", "sqs"), true);
  assert.equal(may(alone, consumer, "kms:GenerateDataKey", "sqs"), false);
});

test("SNS delivers into the queue for its topic alone", () => {
  const text = policyOf("From a topic into an encrypted queue");
  const topic = (name: string) =>
    serviceCaller("sns.amazonaws.com", `arn:aws:sns:${region}:${accountId}:${name}`, accountId);
  assert.equal(may(text, topic("orders"), "kms:GenerateDataKey"), true);
  assert.equal(may(text, topic("others"), "kms:GenerateDataKey"), false);
});

test("another account comes through SNS alone", () => {
  const text = policyOf("Another account");
  const caller = role(`arn:aws:iam::${otherId}:role/publisher`);
  assert.equal(may(text, caller, "kms:GenerateDataKey", "sns"), true);
  assert.equal(may(text, caller, "kms:GenerateDataKey"), false);
});
