import type { DecisionRequest, KeyGrant, PolicyKind } from "../../src/auth/policy/index.ts";
import type { ConditionContext, ConditionValue } from "../../src/kernel/operation.ts";
import type { AttachedPolicy, NamedPolicy } from "../../src/kernel/policy.ts";
import type { Dice } from "./random.ts";
import {
  abroad,
  actions,
  callers,
  home,
  ids,
  key,
  queue,
  resources,
  role,
  topic,
} from "./world.ts";

export type Raw = Record<string, unknown>;
type Kind = "resource" | "key" | "trust";

const actionTexts: Record<Kind, readonly string[]> = {
  resource: ["sqs:*", "SQS:sendmessage", "sqs:Send*", "sqs:?e*Message", "*", "sns:Publish", "s3:*"],
  key: ["kms:*", "kms:Decrypt", "KMS:GenerateDataKey*", "kms:*Key", "*", "kms:Describe?ey"],
  trust: ["sts:AssumeRole", "sts:*", "sts:AssumeRole*", "*", "sts:TagSession"],
};

const account = home;
const resourceTexts: readonly string[] = [
  "*",
  queue,
  topic,
  key,
  role,
  "arn:aws:sqs:*:*:*",
  `arn:aws:sqs:us-*-1:${account}:ord*`,
  "arn:*:sns:us-east-1:*:rec?rds",
  `arn:aws:sqs:*:${account}:*/name`,
  `arn:aws:sqs:us-*:${account}:orders`,
  `arn:aws:kms:*:${account}:key/*`,
  "arn:aws:sqs:us-east-1:111122223333:$" + "{aws:PrincipalTag/team}",
  "arn:aws:sqs:*:111122223333:$" + "{aws:PrincipalTag/team, 'orders'}*",
  "arn:aws:sns:us-east-1:111122223333:$" + "{x:star}",
  "arn:aws:sns:us-east-1:111122223333:$" + "{*}",
];

const awsPrincipals: readonly string[] = [
  "*",
  home,
  `arn:aws:iam::${home}:root`,
  `arn:aws:iam::${abroad}:root`,
  ...Object.keys(ids),
  `arn:aws:sts::${home}:assumed-role/app/s1`,
  `arn:aws:sts::${home}:federated-user/fay`,
];

const variable = (key: string) => `$\{${key}}`;

const withVariables: Record<string, readonly string[]> = {
  String: [variable("aws:PrincipalTag/team"), `${variable("x:star")}*`],
  Arn: [`arn:aws:sns:us-east-1:*:${variable("x:star")}*`, `arn:aws:*:*:*:${variable("X:STAR")}`],
};

/** Keys with values as requests have them and as policies ask for them, by type of operator. */
const keysOf: Record<string, { keys: readonly string[]; asked: readonly string[] }> = {
  String: {
    keys: ["aws:PrincipalTag/team", "aws:username", "x:star", "aws:TagKeys", "kms:ViaService"],
    asked: ["orders", "Orders", "alice", "*", "ord*", "o?ders", "a*b*c", variable("*"), "billing"],
  },
  Numeric: { keys: ["x:number", "aws:EpochTime"], asked: ["10", "-2.5", "1700000000", "0"] },
  Date: {
    keys: ["aws:CurrentTime", "aws:EpochTime", "x:number"],
    asked: ["2023-11-14T22:13:20Z", "1700000000", "2024-01-01", "2023-11-14T23:13:20+01:00"],
  },
  Bool: { keys: ["aws:SecureTransport", "aws:ViaAWSService"], asked: ["true", "false", "TRUE"] },
  Binary: { keys: ["x:binary"], asked: ["QUJD", "QUJE"] },
  Ip: {
    keys: ["aws:SourceIp"],
    asked: ["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "10.1.2.0/25", "2001:db8::1"],
  },
  Arn: {
    keys: ["aws:SourceArn", "aws:PrincipalArn", "x:star"],
    asked: [
      topic,
      "arn:aws:sns:*:*:*",
      "arn:aws:iam::*:user/*",
      "*",
      "arn:aws:s*:us-east-1:*:rec*",
    ],
  },
  Null: { keys: ["aws:TagKeys", "aws:username", "x:number"], asked: ["true", "false"] },
};

const operators: Record<string, readonly string[]> = {
  String: ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"],
  Numeric: [
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
  ],
  Date: ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
  Arn: ["Equals", "NotEquals", "Like", "NotLike"],
};

function operatorName(dice: Dice, family: string): string {
  if (family === "Null") return "Null";
  let name = family;
  if (family === "Binary") name = "BinaryEquals";
  else if (family === "Ip") name = dice.pick(["IpAddress", "NotIpAddress"]);
  else if (family !== "Bool") name = family + dice.pick(operators[family] ?? []);
  if (dice.chance(25)) name = `${dice.pick(["ForAllValues", "ForAnyValue"])}:${name}`;
  return dice.chance(20) ? `${name}IfExists` : name;
}

function condition(dice: Dice): Raw {
  const block: Raw = {};
  for (let count = 1 + dice.below(2); count > 0; count--) {
    const family = dice.pick(Object.keys(keysOf));
    const { keys = [], asked = [] } = keysOf[family] ?? {};
    const other = dice.pick(Object.values(keysOf)).keys;
    const name = dice.pick(dice.chance(85) ? keys : other);
    const texts = [...asked, ...(withVariables[family] ?? [])];
    block[operatorName(dice, family)] = {
      [dice.chance(20) ? name.toUpperCase() : name]: dice.oneOrMore(texts),
    };
  }
  return block;
}

export function principal(dice: Dice, kind: PolicyKind): unknown {
  if (dice.chance(15)) return "*";
  const chosen: Raw = {};
  if (dice.chance(75)) chosen.AWS = dice.oneOrMore(awsPrincipals);
  if (dice.chance(35)) chosen.Service = dice.oneOrMore(["sns.amazonaws.com", "s3.amazonaws.com"]);
  if (kind === "trust" && dice.chance(25)) chosen.Federated = "accounts.example.com";
  return Object.keys(chosen).length === 0 ? { AWS: home } : chosen;
}

export function statement(dice: Dice, scenario: Kind, policyKind: PolicyKind): Raw {
  const made: Raw = { Effect: dice.chance(12) ? "Deny" : "Allow" };
  const named = ["resource", "key", "trust", "endpoint"].includes(policyKind);
  if (named) {
    const negated = policyKind !== "trust" && dice.chance(8);
    made[negated ? "NotPrincipal" : "Principal"] = principal(dice, policyKind);
  }
  made[dice.chance(10) ? "NotAction" : "Action"] = dice.oneOrMore(actionTexts[scenario]);
  if (policyKind !== "trust" && !(policyKind === "key" && dice.chance(3))) {
    const fitting = dice.chance(40) ? ["*", ...(resources[scenario] ?? [])] : resourceTexts;
    made[dice.chance(10) ? "NotResource" : "Resource"] = dice.oneOrMore(fitting);
  }
  if (dice.chance(45)) made.Condition = condition(dice);
  return made;
}

export function attach(document: Raw, principalIds: Record<string, string> = {}): AttachedPolicy {
  return { text: JSON.stringify(document), principalIds };
}

function policy(dice: Dice, scenario: Kind, kind: PolicyKind): AttachedPolicy {
  const count = 1 + dice.below(4);
  const statements = Array.from({ length: count }, () => statement(dice, scenario, kind));
  const document: Raw = { Statement: count === 1 && dice.chance(50) ? statements[0] : statements };
  if (dice.chance(80)) document.Version = dice.chance(85) ? "2012-10-17" : "2008-10-17";
  const known = Object.entries(ids).filter(() => dice.chance(93));
  return attach(document, Object.fromEntries(known));
}

function named(dice: Dice, scenario: Kind, kind: PolicyKind, most: number): NamedPolicy[] {
  return Array.from({ length: dice.below(most + 1) }, (_, index) => ({
    name: `p${index}`,
    policy: policy(dice, scenario, kind),
  }));
}

const requestValues: Record<string, readonly ConditionValue[]> = {
  "aws:principaltag/team": ["orders", "billing", "o*"],
  "aws:username": ["alice", "bob"],
  "x:star": ["*", "ord", "a-b-c", topic, ""],
  "aws:tagkeys": [[], ["orders"], ["orders", "billing"], ["alice", "*"]],
  "kms:viaservice": ["sqs.us-east-1.amazonaws.com", "orders"],
  "x:number": [10, 9.5, "ten", "2024"],
  "aws:epochtime": [1700000000, 1],
  "aws:currenttime": ["2023-11-14T22:13:20Z", "2025-01-01T00:00:00Z"],
  "aws:securetransport": [true, false],
  "aws:viaawsservice": [true, false],
  "x:binary": ["QUJD", "QUJE"],
  "aws:sourceip": ["10.1.2.3", "10.1.2.200", "192.168.0.1", "2001:db8::1", "not an address"],
  "aws:sourcearn": [topic, queue, "no arn"],
  "aws:principalarn": Object.keys(ids),
};

export function context(dice: Dice): ConditionContext {
  const made: Record<string, ConditionValue> = {};
  for (const [name, values] of Object.entries(requestValues)) {
    if (dice.chance(65)) made[name] = dice.pick(values);
  }
  return made;
}

function grants(dice: Dice): KeyGrant[] {
  return Array.from({ length: dice.below(3) }, (_, index) => {
    const granteePrincipal = dice.pick(awsPrincipals.slice(1));
    return {
      grantId: `g${index}`,
      granteePrincipal,
      granteeId: ids[granteePrincipal],
      operations: dice.chance(50) ? ["Decrypt", "DescribeKey"] : ["GenerateDataKey"],
      encryptionContextEquals: dice.chance(20) ? { a: "1" } : undefined,
      encryptionContextSubset: dice.chance(20) ? { b: "2" } : undefined,
    };
  });
}

/** Policies that stay, and as many requests about them as asked for. */
export function* scenario(dice: Dice, requests: number): Generator<DecisionRequest> {
  const kind = dice.pick(["resource", "resource", "key", "trust"] as const);
  const fixed = {
    identity: named(dice, kind, "identity", 3),
    boundary: dice.chance(25) ? named(dice, kind, "boundary", 1)[0] : undefined,
    session: dice.chance(25) ? named(dice, kind, "session", 2) : undefined,
    endpoint: dice.chance(15) ? named(dice, kind, "endpoint", 1)[0] : undefined,
    serviceControl: dice.chance(10) ? [named(dice, kind, "identity", 2)] : undefined,
    resourcePolicy: dice.chance(80) ? policy(dice, kind, kind) : undefined,
    grants: kind === "key" && dice.chance(40) ? grants(dice) : undefined,
  };
  for (let count = 0; count < requests; count++) {
    yield {
      ...fixed,
      caller: dice.pick(Object.values(callers)),
      action: dice.pick(actions[kind] ?? []),
      resource: dice.pick(resources[kind] ?? []),
      resourceAccountId: home,
      service: "test",
      context: context(dice),
      policyKind: kind === "resource" && dice.chance(50) ? undefined : kind,
      encryptionContext: dice.pick<Record<string, string> | undefined>([
        undefined,
        { a: "1" },
        { a: "1", b: "2" },
        { b: "2" },
      ]),
    };
  }
}
