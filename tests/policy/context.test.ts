import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContextFacts, DecisionRequest, PolicyCaller } from "../../src/auth/policy/index.ts";
import {
  checkPolicy,
  decide,
  denialText,
  globalContext,
  resolvePrincipalIds,
} from "../../src/auth/policy/index.ts";
import type { NamedPolicy } from "../../src/kernel/policy.ts";
import type { RecordView } from "../../src/kernel/records.ts";
import { abroad, callers, home, ids, key, queue, role, topic } from "./world.ts";

function caller(name: string): PolicyCaller {
  const found = callers[name];
  assert.ok(found, name);
  return found;
}

const facts: ContextFacts = {
  caller: caller("alice"),
  transport: { secure: false, sourceIp: "203.0.113.7", userAgent: "aws-cli/2" },
  nowMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  region: "us-east-1",
  service: "sqs",
  resourceAccountId: home,
};

// Goal: presence and absence of each global key as the fact sheet has it. Method: the whole context
// of each kind of caller, so that a key too many fails as well as one too few.
test("context of a user", () => {
  assert.deepEqual(globalContext(facts), {
    "aws:currenttime": "2026-01-02T03:04:05Z",
    "aws:epochtime": 1767323045,
    "aws:principalaccount": home,
    "aws:principalarn": `arn:aws:iam::${home}:user/alice`,
    "aws:principalisawsservice": false,
    "aws:principaltag/team": "orders",
    "aws:principaltype": "User",
    "aws:requestedregion": "us-east-1",
    "aws:resourceaccount": home,
    "aws:securetransport": false,
    "aws:sourceip": "203.0.113.7",
    "aws:useragent": "aws-cli/2",
    "aws:userid": "AIDAALICE",
    "aws:username": "alice",
    "aws:viaawsservice": false,
  });
});

test("context of a service that acts for a topic", () => {
  assert.deepEqual(globalContext({ ...facts, caller: caller("sns") }), {
    "aws:currenttime": "2026-01-02T03:04:05Z",
    "aws:epochtime": 1767323045,
    "aws:principalisawsservice": true,
    "aws:principalservicename": "sns.amazonaws.com",
    "aws:principalservicenameslist": ["sns.amazonaws.com"],
    "aws:requestedregion": "us-east-1",
    "aws:resourceaccount": home,
    "aws:securetransport": true,
    "aws:sourceaccount": home,
    "aws:sourcearn": topic,
    "aws:sourceowner": home,
    "aws:useragent": "sns.amazonaws.com",
    "aws:viaawsservice": false,
  });
});

test("context of a forward access session to KMS", () => {
  const context = globalContext({ ...facts, service: "kms", via: "sqs.amazonaws.com" });
  assert.equal(context["kms:viaservice"], "sqs.us-east-1.amazonaws.com");
  assert.equal(context["kms:calleraccount"], home);
  assert.equal(context["aws:viaawsservice"], true);
  assert.equal(context["aws:username"], "alice");
  assert.equal(context["aws:securetransport"], true);
  for (const absent of ["aws:sourceip", "aws:sourcearn", "aws:calledvia"]) {
    assert.equal(absent in context, false, absent);
  }
  const direct = globalContext({ ...facts, service: "kms" });
  assert.equal("kms:viaservice" in direct, false);
  assert.equal(direct["kms:calleraccount"], home);
  const listed = globalContext({ ...facts, via: "kms.amazonaws.com" });
  assert.deepEqual(listed["aws:calledvia"], ["kms.amazonaws.com"]);
  assert.equal(listed["aws:calledviafirst"], "kms.amazonaws.com");
});

test("context of sessions, endpoints and tags", () => {
  const session = globalContext({
    ...facts,
    caller: caller("app"),
    session: { issuedMs: 0, mfaAgeSeconds: 30, sourceIdentity: "alice" },
    endpoint: { endpointId: "vpce-1", vpcId: "vpc-1" },
    requestTags: { Team: "a" },
    requestTagKeys: ["old"],
    resourceTags: { Stage: "b" },
  });
  assert.equal(session["aws:principalarn"], role);
  assert.equal(session["aws:principaltype"], "AssumedRole");
  assert.equal(session["aws:userid"], "AROAAPP:s1");
  assert.equal(session["aws:tokenissuetime"], "1970-01-01T00:00:00Z");
  assert.equal(session["aws:multifactorauthpresent"], true);
  assert.equal(session["aws:multifactorauthage"], 30);
  assert.equal(session["aws:sourceidentity"], "alice");
  assert.equal(session["aws:sourcevpce"], "vpce-1");
  assert.equal(session["aws:sourcevpc"], "vpc-1");
  assert.equal(session["aws:vpcsourceip"], "203.0.113.7");
  assert.equal("aws:sourceip" in session, false);
  assert.equal("aws:username" in session, false);
  assert.equal(session["aws:requesttag/team"], "a");
  assert.deepEqual(session["aws:tagkeys"], ["Team", "old"]);
  assert.equal(session["aws:resourcetag/stage"], "b");
  const resourceTags = { Stage: "b", stage: "c", STAGE: "d" };
  const clash = globalContext({ ...facts, resourceTags });
  assert.deepEqual(clash["aws:resourcetag/stage"], ["b", "c", "d"]);
  const without = globalContext({ ...facts, session: { issuedMs: 0 } });
  assert.equal(without["aws:multifactorauthpresent"], false);
  const stranger = globalContext({ ...facts, caller: caller("anonymous") });
  assert.equal(stranger["aws:principaltype"], "Anonymous");
  assert.equal("aws:principalaccount" in stranger, false);
});

// Goal: the default topic policy lets services of the owner's account in and nobody else: users
// need a right of their own. Method: its text.
test("aws:SourceOwner opens the default topic policy to the owner's services", () => {
  const text = JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["SNS:Publish"],
        Resource: topic,
        Condition: { StringEquals: { "AWS:SourceOwner": home } },
      },
    ],
  });
  checkPolicy(text, "resource");
  const allowed = (name: string) =>
    decide({
      caller: caller(name),
      action: "sns:Publish",
      resource: topic,
      resourceAccountId: home,
      service: "sns",
      context: globalContext({ ...facts, caller: caller(name), service: "sns" }),
      identity: [],
      resourcePolicy: { text, principalIds: {} },
    }).allowed;
  assert.equal(allowed("alice"), false);
  assert.equal(allowed("s3"), true);
  assert.equal(allowed("carol"), false);
  assert.equal(allowed("sns-abroad"), false);
  assert.equal(allowed("anonymous"), false);
});

const everything = { Effect: "Allow", Action: "*", Resource: "*" };
const nothing = { Effect: "Allow", Action: "none:None", Resource: "*" };
const denied = { Effect: "Deny", Action: "*", Resource: "*" };
const named = (statement: object): NamedPolicy => ({
  name: "p",
  policy: { text: JSON.stringify({ Statement: statement }), principalIds: ids },
});
const attached = (statement: object) => named({ Principal: "*", ...statement }).policy;

const asked: DecisionRequest = {
  caller: caller("alice"),
  action: "sqs:SendMessage",
  resource: queue,
  resourceAccountId: home,
  service: "sqs",
  context: {},
  identity: [named(everything)],
};
const trustOf = (statement: object) => {
  const { Resource: _, ...rest } = { Resource: "", Principal: "*", ...statement };
  return named(rest).policy;
};

/** Change of the request, and the end of the text. */
const texts: readonly (readonly [Partial<DecisionRequest>, string])[] = [
  [{ identity: [] }, "because no identity-based policy allows the sqs:sendmessage action"],
  [
    { caller: caller("carol") },
    "because no resource-based policy allows the sqs:sendmessage action",
  ],
  [
    { boundary: named(nothing) },
    "because no permissions boundary allows the sqs:sendmessage action",
  ],
  [{ session: [named(nothing)] }, "because no session policy allows the sqs:sendmessage action"],
  [
    { endpoint: { name: "e", policy: attached(nothing) } },
    "because no VPC endpoint policy allows the sqs:sendmessage action",
  ],
  [
    { serviceControl: [[named(nothing)]] },
    "because no service control policy allows the sqs:sendmessage action",
  ],
  [{ identity: [named(denied)] }, "with an explicit deny in an identity-based policy"],
  [{ resourcePolicy: attached(denied) }, "with an explicit deny in a resource-based policy"],
  [{ boundary: named(denied) }, "with an explicit deny in a permissions boundary"],
  [{ session: [named(denied)] }, "with an explicit deny in a session policy"],
  [
    { endpoint: { name: "e", policy: attached(denied) } },
    "with an explicit deny in a VPC endpoint policy",
  ],
  [{ serviceControl: [[named(denied)]] }, "with an explicit deny in a service control policy"],
  [
    { policyKind: "trust", resourcePolicy: trustOf({ Effect: "Deny", Action: "*" }) },
    "with an explicit deny in the role trust policy",
  ],
  [{ policyKind: "trust" }, "because no role trust policy allows the sqs:sendmessage action"],
  [{ policyKind: "key" }, "because no resource-based policy allows the sqs:sendmessage action"],
  [
    { policyKind: "key", caller: caller("carol") },
    "because the resource does not exist in this Region, no resource-based policies allow " +
      "access, or a resource-based policy explicitly denies access",
  ],
  [
    { policyKind: "key", caller: caller("carol"), resourcePolicy: attached(denied) },
    "because the resource does not exist in this Region, no resource-based policies allow " +
      "access, or a resource-based policy explicitly denies access",
  ],
  [
    { policyKind: "key", resourcePolicy: attached(denied) },
    "with an explicit deny in a resource-based policy",
  ],
];

// Goal: AWS's text for every reason. Method: one request, allowed as it stands (the twin), with one
// thing changed.
test("texts of denials", () => {
  assert.equal(decide(asked).allowed, true);
  for (const [change, end] of texts) {
    const request = { ...asked, ...change };
    const decision = decide(request);
    assert.equal(decision.allowed, false, end);
    assert.equal(
      denialText(decision, request, "sqs:sendmessage", "arn:aws:iam::1:user/a"),
      "User: arn:aws:iam::1:user/a is not authorized to perform: sqs:sendmessage on resource: " +
        `${queue} ${end}`,
    );
  }
  const list = { ...asked, resource: "*", identity: [] };
  assert.equal(
    denialText(decide(list), list, "SNS:ListTopics", "anonymous"),
    "User: anonymous is not authorized to perform: SNS:ListTopics because no identity-based " +
      "policy allows the SNS:ListTopics action",
  );
});

/** Never asked here: the directory below needs no records. */
const view: RecordView = {
  get: () => assert.fail("no record is read"),
  list: () => assert.fail("no record is read"),
  count: () => assert.fail("no record is read"),
  versionOf: () => undefined,
};
const directory = (known: Readonly<Record<string, string>>) => ({
  resolve: async (_view: RecordView, arn: string) => known[arn],
});

// Goal: a policy is bound to the users and roles of today. Method: saved with alice's id, asked by
// alice and by the one who was made again under her name; unknown names keep it from being saved.
test("principals are resolved when a policy is saved", async () => {
  const alice = `arn:aws:iam::${home}:user/alice`;
  const statement = {
    ...everything,
    Principal: { AWS: [alice, abroad], Service: "sns.amazonaws.com" },
  };
  const text = JSON.stringify({
    Statement: [statement, { ...everything, NotPrincipal: { AWS: role } }],
  });
  const resolved = await resolvePrincipalIds(text, directory(ids), view);
  assert.ok(resolved.ok);
  assert.deepEqual(resolved.policy, {
    text,
    principalIds: { [alice]: "AIDAALICE", [role]: "AROAAPP" },
  });
  assert.ok(Object.isFrozen(resolved.policy));
  const resourcePolicy = { ...resolved.policy, text: JSON.stringify({ Statement: statement }) };
  const ask = (name: string) =>
    decide({ ...asked, identity: [], caller: caller(name), resourcePolicy }).allowed;
  assert.equal(ask("alice"), true);
  assert.equal(ask("alice-again"), false);
  const { [alice]: _, ...others } = ids;
  const missing = await resolvePrincipalIds(text, directory(others), view);
  assert.deepEqual(missing, { ok: false, unknown: [alice] });
});

// Goal: names of built-in objects are only names. Method: contexts and ids that hold none of them.
test("prototypes hold no principals and no values", () => {
  const resourcePolicy = named({ ...everything, Principal: { AWS: key } }).policy;
  assert.equal(decide({ ...asked, identity: [], resourcePolicy }).allowed, false);
  const Condition = { StringLike: { "constructor:name": "*", "__proto__:x": "*" } };
  const identity = [named({ ...everything, Condition })];
  assert.equal(decide({ ...asked, identity }).allowed, false);
});
