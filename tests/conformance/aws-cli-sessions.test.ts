// Goal: the AWS command line works with roles, session policies and the simulator.
// Method: the real `aws`, where it is installed, against a server; skipped elsewhere.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { awsRefusal, aws as runAws, skipWithoutAws } from "../harness/aws-cli.ts";
import { startTestServer, type TestCredentials, type TestServer } from "../harness/server.ts";
import { allow, makeRole, policy, trusts } from "./sts-scene.ts";

const skip = skipWithoutAws;
let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

interface Answer {
  readonly output: string;
  readonly error: string;
}

async function aws(who: TestCredentials, ...args: readonly string[]): Promise<Answer> {
  const done = runAws(server, who, ...args);
  const error = await awsRefusal(done);
  return { output: error === "" ? await done : "", error };
}

test("a role session with a session policy, by command line", { skip }, async () => {
  const user = await server.createUser("cli", JSON.parse(policy(allow("sts:AssumeRole"))));
  const account = { AWS: `arn:aws:iam::${server.accountId}:root` };
  const role = await makeRole(server.rootClients, "worker", [trusts(account)], [allow("sqs:*")]);
  const assumed = await aws(
    user,
    ...["sts", "assume-role", "--role-arn", role, "--role-session-name", "cli"],
    ...["--policy", policy(allow("sqs:ListQueues"))],
  );
  equal(assumed.error, "");
  const { Credentials, PackedPolicySize } = JSON.parse(assumed.output);
  equal(PackedPolicySize > 0, true);
  const session = {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
  };
  const who = await aws(session, "sts", "get-caller-identity");
  match(JSON.parse(who.output).Arn, /:assumed-role\/worker\/cli$/);
  equal((await aws(session, "sqs", "list-queues")).error, "");
  const denied = await aws(session, "sqs", "create-queue", "--queue-name", "no");
  match(denied.error, /AccessDenied.*because no session policy allows the sqs:createqueue action/s);
});

test("IAM by command line: a role, a managed policy, a simulation", { skip }, async () => {
  const trust = policy(trusts({ Service: "ec2.amazonaws.com" }));
  const made = await aws(
    server.root,
    ...["iam", "create-role", "--role-name", "box", "--assume-role-policy-document", trust],
  );
  deepEqual(JSON.parse(made.output).Role.AssumeRolePolicyDocument, JSON.parse(trust));
  const arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess";
  const attach = ["iam", "attach-role-policy", "--role-name", "box", "--policy-arn", arn];
  equal((await aws(server.root, ...attach)).error, "");
  const simulated = await aws(
    server.root,
    ...["iam", "simulate-principal-policy", "--policy-source-arn"],
    ...[
      `arn:aws:iam::${server.accountId}:role/box`,
      "--action-names",
      "sqs:ListQueues",
      "sqs:DeleteQueue",
    ],
  );
  const { EvaluationResults } = JSON.parse(simulated.output);
  deepEqual(
    EvaluationResults.map((one: { EvalDecision: string }) => one.EvalDecision),
    ["allowed", "implicitDeny"],
  );
  const bad = await aws(
    server.root,
    ...["iam", "put-role-policy", "--role-name", "box", "--policy-name", "p"],
    ...["--policy-document", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}'],
  );
  match(bad.error, /MalformedPolicyDocument.*Statement\[0\]/s);
});
