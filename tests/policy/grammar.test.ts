import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { PolicyKind, PolicyRules } from "../../src/auth/policy/index.ts";
import { checkPolicy, PolicyError } from "../../src/auth/policy/index.ts";

type Raw = Record<string, unknown>;

const identity = { Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" };
const resource = { ...identity, Principal: "*" };
const { Resource: _, ...trust } = { ...resource, Action: "sts:AssumeRole" };
const arn = "arn:aws:sqs:us-east-1:111122223333:orders";

/** One statement right for each kind; every refusal below is an edit of it. */
const right: Readonly<Record<PolicyKind, Raw>> = {
  identity,
  boundary: identity,
  session: identity,
  resource,
  key: resource,
  trust,
  endpoint: resource,
};

function written(statement: unknown, rest: Raw = {}): string {
  return JSON.stringify({ Version: "2012-10-17", ...rest, Statement: statement });
}

function refusal(text: string, kind: PolicyKind = "identity", rules?: PolicyRules): PolicyError {
  try {
    checkPolicy(text, kind, rules);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `accepted: ${text.slice(0, 200)}` });
}

// Goal: what is right passes. Method: the base of each kind, and the freedoms of the grammar.
for (const kind of Object.keys(right) as PolicyKind[]) {
  test(`accepted: ${kind}`, () => {
    checkPolicy(written(right[kind]), kind);
    checkPolicy(written([right[kind]], { Id: "x" }), kind);
    checkPolicy(
      JSON.stringify({ Statement: [right[kind], { ...right[kind], Effect: "Deny" }] }),
      kind,
    );
    checkPolicy(written({ ...right[kind], Action: ["sts:*", "*"], Condition: {} }), kind);
    checkPolicy(` \r\n\t${written(right[kind])}\n`, kind);
  });
}

test("accepted: forms of principals", () => {
  const list = [
    "*",
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/division/team/bob",
    "arn:aws:iam::111122223333:role/service-role/app",
    "arn:aws:sts::111122223333:assumed-role/app/session@x",
    "arn:aws:sts::111122223333:federated-user/fay",
  ];
  const Principal = { AWS: list, Service: ["sns.amazonaws.com", "sns.eu-west-1.amazonaws.com"] };
  const { principals } = checkPolicy(written({ ...resource, Principal }), "resource");
  assert.deepEqual(principals, [list[3], list[4]]);
  const Federated = ["accounts.google.com", "arn:aws:iam::1:oidc-provider/x"];
  checkPolicy(written({ ...trust, Principal: { Federated } }), "trust");
});

test("accepted: key policies without Action or Resource, Sids with blanks and repeated", () => {
  const { Action: _a, ...idle } = { ...resource, Sid: "Allow access for Root User" };
  checkPolicy(written([idle, { ...resource, Sid: idle.Sid }]), "key");
  checkPolicy(written({ ...resource, Resource: "not-an-arn" }), "key");
  checkPolicy(written({ ...resource, Sid: "Allow access" }), "resource");
});

/** One edit of what is right (null takes the element away), and where and why it is refused. */
interface RefusalCase {
  readonly name: string;
  readonly kind: PolicyKind;
  readonly edit: Raw;
  readonly path: string;
  /** Part of the text. */
  readonly reason: string;
}

const refusals: readonly RefusalCase[] = JSON.parse(
  readFileSync(new URL("./refusals.json", import.meta.url), "utf8"),
);

// Goal: each fault is refused, with its place and a reason. Method: one edit of what is right.
for (const { name, kind, edit, path, reason } of refusals) {
  test(`refused: ${name}`, () => {
    const edited = Object.entries({ ...right[kind], ...edit }).filter(
      ([, value]) => value !== null,
    );
    const error = refusal(written(Object.fromEntries(edited)), kind);
    assert.equal(error.path, path);
    assert.ok(error.reason.includes(reason), error.reason);
    assert.equal(error.message, `${path}: ${error.reason}`);
  });
}

// Goal: the blank before the ARN that a published article prints is refused by name, its twin
// without the blank passes.
test("refused: a blank beside an ARN", () => {
  const Resource = " arn:aws:sns:us-east-1:123456789012:Patient-Records";
  const error = refusal(written({ Effect: "Allow", Action: ["sns:Publish"], Resource }));
  assert.equal(error.path, "Statement.Resource");
  assert.match(error.reason, /^Resource {2}arn:aws:sns.* must be in ARN format or "\*": ` arn:/);
  assert.match(error.reason, /begins with a blank$/);
  checkPolicy(
    written({ Effect: "Allow", Action: ["sns:Publish"], Resource: Resource.trim() }),
    "identity",
  );
  assert.match(refusal(written({ ...identity, Resource: `${arn} ` })).reason, /ends with a blank$/);
  assert.match(refusal(written({ ...resource, Resource: " *" }), "key").reason, /begins with a/);
});

test("refused: documents", () => {
  assert.match(refusal("").message, /^line 1, column 1: text ends$/);
  assert.equal(refusal("").kind, "syntax");
  assert.match(refusal("[]").reason, /must be an object/);
  assert.match(refusal("{}").reason, /has no Statement/);
  assert.match(refusal(written([])).reason, /no statement/);
  assert.match(
    refusal(written(identity, { Version: "2012-10-18" })).message,
    /^Version: `2012-10-18`/,
  );
  assert.match(refusal(written(identity, { Note: 1 })).message, /^Note: /);
  assert.match(refusal(written(identity, { Id: 1 })).message, /^Id: /);
  const twice = written([
    { ...identity, Sid: "a" },
    { ...identity, Sid: "a" },
  ]);
  assert.match(refusal(twice).message, /^Statement\[1\]\.Sid: Statement IDs \(SID\) .* unique\.$/);
  assert.match(refusal(written({ ...identity, Sid: "é" })).reason, /alpha-numeric/);
  assert.match(refusal(written(identity, { Id: "\u0100" })).reason, /no U\+0100/);
  checkPolicy(written(resource, { Id: "\u0100" }), "resource");
});

// Goal: a name given twice is refused wherever it stands, since two readers could see two policies.
// Method: the same text without the repetition passes.
test("refused: a name given twice", () => {
  const text = '{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Effect":"Allow"}}';
  assert.match(refusal(text).message, /^line 1, column 59: `Effect` is given twice$/);
  checkPolicy(text.replace(',"Effect":"Allow"', ""), "identity");
  assert.match(refusal('{"__proto__":{},"Statement":[]}').message, /^__proto__: /);
});

// Goal: limits of the places that policies are kept in. Method: one below and one above each.
test("rules of the place", () => {
  const text = written([resource, { ...resource, Principal: { AWS: ["111122223333", "*"] } }]);
  const tight: readonly (readonly [PolicyRules, PolicyRules, RegExp])[] = [
    [{ lengthMax: text.length }, { lengthMax: text.length - 1 }, /longer than/],
    [
      { statementsMax: 2 },
      { statementsMax: 1 },
      /^2 statements were found, maximum allowed is 1\.$/,
    ],
    [{ principalsMax: 3 }, { principalsMax: 2 }, /^3 principals/],
    [{ actionsMax: 1 }, { actionsMax: 0 }, /^1 actions/],
    [{ vendors: ["sqs"] }, { vendors: ["sns"] }, /out of service scope!$/],
    [{ resource: "*" }, { resource: arn }, /resource `\*` is not/],
  ];
  for (const [wide, narrow, reason] of tight) {
    checkPolicy(text, "resource", wide);
    assert.match(refusal(text, "resource", narrow).reason, reason);
  }
  const blanks = ` ${text.replaceAll(",", ", ")}\n`;
  checkPolicy(blanks, "resource", { lengthMax: text.length, ignoreBlanks: true });
  refusal(blanks, "resource", { lengthMax: text.length });
  const conditions = written({
    ...resource,
    Condition: { Bool: { "a:b": "true", "a:c": "true" } },
  });
  checkPolicy(conditions, "resource", { conditionsMax: 2 });
  refusal(conditions, "resource", { conditionsMax: 1 });
});
