import type { PolicyCaller } from "../../src/auth/policy/index.ts";

/** A small world of principals and resources, so that generated policies often meet requests. */
export const home = "111122223333";
export const abroad = "444455556666";

export const ids: Readonly<Record<string, string>> = {
  [`arn:aws:iam::${home}:user/alice`]: "AIDAALICE",
  [`arn:aws:iam::${home}:user/team/bob`]: "AIDABOB",
  [`arn:aws:iam::${abroad}:user/carol`]: "AIDACAROL",
  [`arn:aws:iam::${home}:role/app`]: "AROAAPP",
  [`arn:aws:iam::${abroad}:role/ops/ci`]: "AROACI",
};

const user = (
  accountId: string,
  path: string,
  userName: string,
  principalId: string,
  tags: Record<string, string>,
): PolicyCaller => ({
  kind: "user",
  accountId,
  arn: `arn:aws:iam::${accountId}:user/${path}${userName}`,
  principalId,
  accessKeyId: "AKIAEXAMPLE",
  userName,
  tags,
});

const session = (
  accountId: string,
  path: string,
  role: string,
  roleId: string,
  sessionName: string,
): PolicyCaller => ({
  kind: "role-session",
  accountId,
  arn: `arn:aws:sts::${accountId}:assumed-role/${role}/${sessionName}`,
  roleArn: `arn:aws:iam::${accountId}:role/${path}${role}`,
  roleId,
  sessionName,
  principalId: `${roleId}:${sessionName}`,
  accessKeyId: "ASIAEXAMPLE",
  tags: {},
});

const root = (accountId: string): PolicyCaller => ({
  kind: "root",
  accountId,
  arn: `arn:aws:iam::${accountId}:root`,
  principalId: accountId,
  accessKeyId: "AKIAROOT",
});

const service = (name: "sns" | "s3", sourceArn: string, sourceAccountId: string): PolicyCaller => ({
  kind: "service",
  service: `${name}.amazonaws.com`,
  sourceArn,
  sourceAccountId,
});

/** By the names that JSON cases use. */
export const callers: Readonly<Record<string, PolicyCaller>> = {
  alice: user(home, "", "alice", "AIDAALICE", { team: "orders" }),
  "alice-again": user(home, "", "alice", "AIDAALICETWO", {}),
  bob: user(home, "team/", "bob", "AIDABOB", {}),
  carol: user(abroad, "", "carol", "AIDACAROL", { team: "billing" }),
  "root-home": root(home),
  "root-abroad": root(abroad),
  app: session(home, "", "app", "AROAAPP", "s1"),
  "app-two": session(home, "", "app", "AROAAPP", "s2"),
  ci: session(abroad, "ops/", "ci", "AROACI", "run"),
  federated: {
    kind: "federated-user",
    accountId: home,
    arn: `arn:aws:sts::${home}:federated-user/fay`,
    principalId: `${home}:fay`,
    parentId: "AIDAALICE",
    accessKeyId: "ASIAFAY",
    tags: {},
  },
  sns: service("sns", `arn:aws:sns:us-east-1:${home}:records`, home),
  "sns-abroad": service("sns", `arn:aws:sns:us-east-1:${abroad}:theirs`, abroad),
  s3: service("s3", "arn:aws:s3:::bucket", home),
  anonymous: { kind: "anonymous" },
  web: { kind: "web-identity", provider: "accounts.example.com", subject: "u1" },
};

export const queue = `arn:aws:sqs:us-east-1:${home}:orders`;
export const topic = `arn:aws:sns:us-east-1:${home}:records`;
export const key = `arn:aws:kms:us-east-1:${home}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
export const role = `arn:aws:iam::${home}:role/app`;

export const actions: Readonly<Record<string, readonly string[]>> = {
  resource: ["sqs:SendMessage", "sqs:ReceiveMessage", "sns:Publish"],
  key: ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
  trust: ["sts:AssumeRole", "sts:TagSession"],
};

export const resources: Readonly<Record<string, readonly string[]>> = {
  resource: [queue, topic, `arn:aws:sqs:eu-west-1:${home}:orders:odd/name`, "*"],
  key: [key],
  trust: [role],
};
