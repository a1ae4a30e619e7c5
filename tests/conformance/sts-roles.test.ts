// Goal: AssumeRole gives exactly what trust policy, role, boundary and session policy together
// allow, for as long as the role stays who it was.
// Method: one server, the SDK, users and roles per test; each rule with the twin that shows it.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import { allow, assume, makeRole, policy, trusts } from "./sts-scene.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const root = () => server.rootClients;
const account = () => ({ AWS: `arn:aws:iam::${server.accountId}:root` });
const everything = { Version: "2012-10-17", Statement: [allow("*")] };

test("a session is its role: ARN, ids, rights, and the audit of its calls", async () => {
  const user = await server.createUser("ann", everything);
  const RoleArn = await makeRole(
    root(),
    "reader",
    [trusts({ AWS: user.arn })],
    [allow("sqs:ListQueues")],
    {
      Path: "/app/",
    },
  );
  const { AssumedRoleUser, Credentials } = await user.clients.sts.assumeRole({
    RoleArn,
    RoleSessionName: "s1",
  });
  const { Role } = await root().iam.getRole({ RoleName: "reader" });
  const Arn = `arn:aws:sts::${server.accountId}:assumed-role/reader/s1`;
  deepEqual(AssumedRoleUser, { AssumedRoleId: `${Role?.RoleId}:s1`, Arn });
  match(Credentials?.AccessKeyId ?? "", /^ASIA[A-Z2-7]{16}$/);
  const session = await assume(server, user.clients.sts, { RoleArn });
  const who = await session.sts.getCallerIdentity({});
  deepEqual([who.Arn, who.UserId, who.Account], [Arn, `${Role?.RoleId}:s1`, server.accountId]);
  await session.sqs.listQueues({});
  const denied = await refusal(session.sqs.createQueue({ QueueName: "no" }));
  equal(denied?.name, "AccessDenied");
  match(
    denied?.message ?? "",
    /^User: arn:aws:sts::\d+:assumed-role\/reader\/s1 is not authorized/,
  );
  const found = await root().cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "AssumeRole" }],
  });
  const text = found.Events?.[0]?.CloudTrailEvent ?? "{}";
  equal(JSON.parse(text).requestParameters.roleArn, RoleArn);
  ok(!text.includes(session.credentials.secretAccessKey));
  ok(!text.includes(session.credentials.sessionToken));
});

test("who may assume: the trust policy, and the caller's own account where it delegates", async () => {
  const named = await server.createUser("bea");
  const other = await server.createUser("bob", {
    Version: "2012-10-17",
    Statement: [allow("sts:*")],
  });
  const byName = await makeRole(root(), "by-name", [trusts({ AWS: named.arn })]);
  await assume(server, named.clients.sts, { RoleArn: byName });
  const text = (arn: string, role: string) =>
    `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${role} ` +
    "because no role trust policy allows the sts:AssumeRole action";
  const denied = await refusal(assume(server, other.clients.sts, { RoleArn: byName }));
  deepEqual(denied, { name: "AccessDenied", message: text(other.arn, byName), status: 403 });
  const gone = byName.replace("by-name", "nowhere");
  const missing = await refusal(assume(server, other.clients.sts, { RoleArn: gone }));
  equal(missing?.message, text(other.arn, gone), "a role that is not there looks the same");
  const byAccount = await makeRole(root(), "by-account", [trusts(account())]);
  await assume(server, other.clients.sts, { RoleArn: byAccount });
  const without = await refusal(assume(server, named.clients.sts, { RoleArn: byAccount }));
  match(
    without?.message ?? "",
    /because no identity-based policy allows the sts:AssumeRole action/,
  );
  const asRoot = await refusal(assume(server, root().sts, { RoleArn: byAccount }));
  equal(asRoot?.message, "Roles may not be assumed by root accounts.");
  const bad = await refusal(
    assume(server, other.clients.sts, { RoleArn: "not-an-arn-of-anything" }),
  );
  deepEqual([bad?.name, bad?.message], ["ValidationError", "not-an-arn-of-anything is invalid"]);
});

test("external id, and a text for bad ones", async () => {
  const user = await server.createUser("cleo", everything);
  const condition = { Condition: { StringEquals: { "sts:ExternalId": "x-42" } } };
  const RoleArn = await makeRole(root(), "external", [trusts(account(), condition)]);
  await assume(server, user.clients.sts, { RoleArn, ExternalId: "x-42" });
  for (const ExternalId of [undefined, "x-43"]) {
    const denied = await refusal(assume(server, user.clients.sts, { RoleArn, ExternalId }));
    equal(denied?.name, "AccessDenied");
  }
  const named = await refusal(
    assume(server, user.clients.sts, { RoleArn, RoleSessionName: "a:b" }),
  );
  match(named?.message ?? "", /'roleSessionName' failed to satisfy constraint/);
});

test("a session policy and managed session policies only take away", async () => {
  const user = await server.createUser("dora", everything);
  const RoleArn = await makeRole(
    root(),
    "limited",
    [trusts(account())],
    [allow(["sqs:*", "sns:*"])],
  );
  const wide = await assume(server, user.clients.sts, { RoleArn });
  await wide.sqs.createQueue({ QueueName: "dora" });
  const Policy = policy(allow(["sqs:ListQueues", "kms:*"]));
  const narrow = await assume(server, user.clients.sts, { RoleArn, Policy });
  await narrow.sqs.listQueues({});
  const denied = await refusal(narrow.sqs.createQueue({ QueueName: "dora2" }));
  match(denied?.message ?? "", /because no session policy allows the sqs:createqueue action/);
  const more = await refusal(narrow.kms.listKeys({}));
  match(more?.message ?? "", /because no identity-based policy allows/, "it never gives");
  const arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess";
  const read = await assume(server, user.clients.sts, { RoleArn, PolicyArns: [{ arn }] });
  await read.sqs.listQueues({});
  equal((await refusal(read.sns.listTopics({})))?.name, "AuthorizationErrorException");
  const bad = await refusal(
    assume(server, user.clients.sts, { RoleArn, Policy: '{"Statement":[{}]}' }),
  );
  deepEqual([bad?.name, bad?.status], ["MalformedPolicyDocumentException", 400]);
  match(bad?.message ?? "", /Statement\[0\]/);
});

test("a permissions boundary limits a role and a user", async () => {
  const user = await server.createUser("edna", everything);
  const RoleArn = await makeRole(root(), "bounded", [trusts(account())], [allow("sqs:*")]);
  const { Policy } = await root().iam.createPolicy({
    PolicyName: "only-list",
    PolicyDocument: policy(allow(["sqs:ListQueues", "sts:*"])),
  });
  const PermissionsBoundary = Policy?.Arn ?? "";
  const session = await assume(server, user.clients.sts, { RoleArn });
  await session.sqs.createQueue({ QueueName: "edna" });
  await root().iam.putRolePermissionsBoundary({ RoleName: "bounded", PermissionsBoundary });
  const role = await refusal(session.sqs.createQueue({ QueueName: "edna2" }));
  match(role?.message ?? "", /because no permissions boundary allows the sqs:createqueue action/);
  await session.sqs.listQueues({});
  await root().iam.putUserPermissionsBoundary({ UserName: "edna", PermissionsBoundary });
  const own = await refusal(user.clients.sqs.createQueue({ QueueName: "edna3" }));
  match(own?.message ?? "", /because no permissions boundary allows/);
  await root().iam.deleteUserPermissionsBoundary({ UserName: "edna" });
  await user.clients.sqs.createQueue({ QueueName: "edna3" });
});

test("session tags, transitive ones, and source identity go along a chain", async () => {
  const user = await server.createUser("fay", everything);
  const tagging = { Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"] };
  const first = await makeRole(root(), "chain-1", [trusts(account(), tagging)], [allow("*")]);
  const condition = {
    Condition: { StringEquals: { "aws:PrincipalTag/team": "emr", "sts:SourceIdentity": "fay" } },
  };
  const second = await makeRole(
    root(),
    "chain-2",
    [trusts(account(), { ...tagging, ...condition })],
    [
      {
        ...allow("sqs:ListQueues"),
        Condition: { StringEquals: { "aws:PrincipalTag/team": "emr" } },
      },
    ],
  );
  const Tags = [{ Key: "team", Value: "emr" }];
  const tagged = { RoleArn: first, Tags, TransitiveTagKeys: ["team"], SourceIdentity: "fay" };
  const one = await assume(server, user.clients.sts, tagged);
  const two = await assume(server, one.sts, { RoleArn: second });
  await two.sqs.listQueues({});
  const plain = await assume(server, user.clients.sts, { RoleArn: first });
  equal((await refusal(assume(server, plain.sts, { RoleArn: second })))?.name, "AccessDenied");
  const again = await refusal(assume(server, one.sts, { RoleArn: second, Tags }));
  match(again?.message ?? "", /conflicts with a transitive tag key from the calling session/);
  const changed = { RoleArn: second, SourceIdentity: "eve" };
  equal((await refusal(assume(server, one.sts, changed)))?.name, "AccessDenied");
  const loose = { RoleArn: first, TransitiveTagKeys: ["other"] };
  const missing = await refusal(assume(server, user.clients.sts, loose));
  equal(missing?.name, "InvalidParameterValue");
  const untagged = await makeRole(root(), "no-tags", [trusts(account())], []);
  const refused = await refusal(assume(server, user.clients.sts, { RoleArn: untagged, Tags }));
  match(refused?.message ?? "", /sts:TagSession/);
});

test("durations: the role's maximum, and an hour where a role assumes a role", async () => {
  const user = await server.createUser("gil", everything);
  const RoleArn = await makeRole(root(), "long", [trusts(account())], [allow("*")], {
    MaxSessionDuration: 7200,
  });
  const { Credentials } = await user.clients.sts.assumeRole({
    RoleArn,
    RoleSessionName: "s1",
    DurationSeconds: 7200,
  });
  const seconds = ((Credentials?.Expiration?.getTime() ?? 0) - Date.now()) / 1000;
  ok(seconds > 7100 && seconds <= 7201, String(seconds));
  const over = await refusal(assume(server, user.clients.sts, { RoleArn, DurationSeconds: 7201 }));
  equal(
    over?.message,
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  );
  const session = await assume(server, user.clients.sts, { RoleArn });
  await assume(server, session.sts, { RoleArn, DurationSeconds: 3600 });
  const chained = await refusal(assume(server, session.sts, { RoleArn, DurationSeconds: 3601 }));
  match(chained?.message ?? "", /1 hour session limit for roles assumed by role chaining/);
});

test("a live session ends with its role, and with a policy that revokes older sessions", async () => {
  const user = await server.createUser("hana", everything);
  const RoleArn = await makeRole(root(), "brief", [trusts(account())], [allow("sqs:ListQueues")]);
  const session = await assume(server, user.clients.sts, { RoleArn });
  await session.sqs.listQueues({});
  await server.advance(10);
  const { now } = JSON.parse(
    (await server.send({ service: "sealpost", method: "GET", path: "/_sealpost/clock" })).body,
  );
  const revoke = {
    ...allow("*"),
    Effect: "Deny",
    Condition: { DateLessThan: { "aws:TokenIssueTime": `${now.slice(0, 19)}Z` } },
  };
  const PolicyName = "AWSRevokeOlderSessions";
  const PolicyDocument = policy(revoke);
  await root().iam.putRolePolicy({ RoleName: "brief", PolicyName, PolicyDocument });
  const old = await refusal(session.sqs.listQueues({}));
  match(old?.message ?? "", /with an explicit deny in an identity-based policy/);
  const fresh = await assume(server, user.clients.sts, { RoleArn });
  await fresh.sqs.listQueues({});
  for (const name of ["test", PolicyName]) {
    await root().iam.deleteRolePolicy({ RoleName: "brief", PolicyName: name });
  }
  await root().iam.deleteRole({ RoleName: "brief" });
  const text = "The security token included in the request is invalid.";
  const gone = await refusal(fresh.sts.getCallerIdentity({}));
  deepEqual(gone, { name: "InvalidClientTokenId", message: text, status: 403 });
  const again = await makeRole(root(), "brief", [trusts(account())], [allow("*")]);
  equal(again, RoleArn);
  const still = await refusal(fresh.sts.getCallerIdentity({}));
  equal(still?.message, text, "a role made again is another one");
});

test("a session token belongs to its access key and cannot be changed", async () => {
  const user = await server.createUser("ida", everything);
  const RoleArn = await makeRole(root(), "sealed", [trusts(account())], [allow("*")]);
  const one = await assume(server, user.clients.sts, { RoleArn });
  const two = await assume(server, user.clients.sts, { RoleArn });
  notEqual(one.credentials.sessionToken, two.credentials.sessionToken);
  const { accessKeyId, secretAccessKey, sessionToken } = one.credentials;
  const flipped = `${sessionToken.slice(0, -1)}${sessionToken.endsWith("A") ? "B" : "A"}`;
  for (const wrong of [
    { accessKeyId, secretAccessKey, sessionToken: two.credentials.sessionToken },
    { accessKeyId, secretAccessKey, sessionToken: flipped },
    { accessKeyId, secretAccessKey },
    { ...user, sessionToken },
  ]) {
    const denied = await refusal(server.clients(wrong).sts.getCallerIdentity({}));
    equal(denied?.name, "InvalidClientTokenId");
  }
  await server.clients(one.credentials).sts.getCallerIdentity({});
});

test("sessions of a role share data keys whatever their names; a session policy splits them", async () => {
  const user = await server.createUser("jo", everything);
  const RoleArn = await makeRole(root(), "sender", [trusts(account())], [allow("*")]);
  const { KeyMetadata } = await root().kms.createKey({});
  const Attributes = { KmsMasterKeyId: KeyMetadata?.KeyId ?? "" };
  const { QueueUrl } = await root().sqs.createQueue({ QueueName: "sealed", Attributes });
  const send = async (input: { RoleSessionName: string; Policy?: string }) => {
    const session = await assume(server, user.clients.sts, { RoleArn, ...input });
    await session.sqs.sendMessage({ QueueUrl, MessageBody: "m" });
    const found = await root().cloudtrail.lookupEvents({
      LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "GenerateDataKey" }],
    });
    return found.Events?.length;
  };
  equal(await send({ RoleSessionName: "one" }), 1);
  equal(await send({ RoleSessionName: "two" }), 1);
  const Policy = policy(allow(["sqs:*", "kms:*"]));
  equal(await send({ RoleSessionName: "one", Policy }), 2);
  const denied = await refusal(send({ RoleSessionName: "one", Policy: policy(allow("sqs:*")) }));
  match(denied?.name ?? "", /^KmsAccessDenied/, "a cached key is no way around a session policy");
});
