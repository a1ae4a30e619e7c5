import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";

// Goal: the AWS SDK works with IAM and STS over a real socket: shapes, codes, texts and statuses,
// and credentials that follow each change at once.
// Method: one server; the SDK parses the XML by its own model.

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const iam = () => server.rootClients.iam;

test("a user through the SDK, from creation to deletion", async () => {
  const { User } = await iam().createUser({ UserName: "Alice", Path: "/ward/" });
  match(User?.UserId ?? "", /^AIDA[A-Z2-7]{17}$/);
  equal(User?.Arn, `arn:aws:iam::${server.accountId}:user/ward/Alice`);
  ok(User?.CreateDate instanceof Date);
  await iam().tagUser({ UserName: "Alice", Tags: [{ Key: "cost centre", Value: "A/B@c" }] });
  const shown = await iam().getUser({ UserName: "Alice" });
  deepEqual(shown.User?.Tags, [{ Key: "cost centre", Value: "A/B@c" }]);
  const tags = await iam().listUserTags({ UserName: "Alice" });
  deepEqual([tags.Tags, tags.IsTruncated], [[{ Key: "cost centre", Value: "A/B@c" }], false]);
  await iam().untagUser({ UserName: "Alice", TagKeys: ["cost centre"] });
  await iam().updateUser({ UserName: "Alice", NewUserName: "Anna" });
  const listed = await iam().listUsers({ PathPrefix: "/ward/" });
  deepEqual(
    listed.Users?.map((user) => user.UserName),
    ["Anna"],
  );
  await iam().deleteUser({ UserName: "Anna" });
  const gone = { name: "NoSuchEntityException", status: 404 };
  const message = "The user with name Anna cannot be found.";
  deepEqual(await refusal(iam().getUser({ UserName: "Anna" })), { ...gone, message });
});

test("refusals reach the SDK with code, text and status", async () => {
  const user = await server.createUser("bob", {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
  });
  const UserName = "bob";
  deepEqual(await refusal(iam().createUser({ UserName })), {
    name: "EntityAlreadyExistsException",
    message: "User with name bob already exists.",
    status: 409,
  });
  deepEqual(await refusal(iam().deleteUser({ UserName })), {
    name: "DeleteConflictException",
    message: "Cannot delete entity, must delete access keys first.",
    status: 409,
  });
  const put = iam().putUserPolicy({ UserName, PolicyName: "p", PolicyDocument: "{" });
  deepEqual(await refusal(put), {
    name: "MalformedPolicyDocumentException",
    message:
      "This policy contains invalid Json (line 1, column 2: a member name in quotes is expected)",
    status: 400,
  });
  await iam().createAccessKey({ UserName });
  const third = await refusal(iam().createAccessKey({ UserName }));
  deepEqual([third?.name, third?.status], ["LimitExceededException", 409]);
  const denied = await refusal(user.clients.iam.listUsers({}));
  deepEqual(denied, {
    name: "AccessDenied",
    message:
      `User: ${user.arn} is not authorized to perform: iam:ListUsers on resource: ` +
      `arn:aws:iam::${server.accountId}:user/ because no identity-based policy allows the ` +
      "iam:ListUsers action",
    status: 403,
  });
  const shown = await iam().getUserPolicy({ UserName, PolicyName: "test" });
  const document = JSON.parse(decodeURIComponent(shown.PolicyDocument ?? ""));
  equal(document.Statement[0].Action, "sqs:*");
});

test("a key that is inactive, deleted or wrong does not sign", async () => {
  const user = await server.createUser("carol");
  const who = () => user.clients.sts.getCallerIdentity({});
  const identity = await who();
  deepEqual(
    [identity.UserId, identity.Account, identity.Arn],
    [user.userId, server.accountId, user.arn],
  );
  const key = { UserName: "carol", AccessKeyId: user.accessKeyId };
  const invalid = {
    name: "InvalidClientTokenId",
    message: "The security token included in the request is invalid.",
    status: 403,
  };
  await iam().updateAccessKey({ ...key, Status: "Inactive" });
  deepEqual(await refusal(who()), invalid);
  await iam().updateAccessKey({ ...key, Status: "Active" });
  await who();
  const forged = server.clients({ ...user, secretAccessKey: "x".repeat(40) });
  const wrong = await refusal(forged.sts.getCallerIdentity({}));
  deepEqual([wrong?.name, wrong?.status], ["SignatureDoesNotMatch", 403]);
  await iam().deleteAccessKey(key);
  deepEqual(await refusal(who()), invalid);
});

test("the caller without a name: a user, and the root user", async () => {
  const allowed = { Effect: "Allow", Action: "iam:*", Resource: "*" };
  const user = await server.createUser("dan", { Version: "2012-10-17", Statement: [allowed] });
  equal((await user.clients.iam.getUser({})).User?.UserName, "dan");
  const keys = await user.clients.iam.listAccessKeys({});
  deepEqual(
    keys.AccessKeyMetadata?.map((key) => key.AccessKeyId),
    [user.accessKeyId],
  );
  const root = (await iam().getUser({})).User;
  equal(root?.Arn, `arn:aws:iam::${server.accountId}:root`);
  equal(root?.UserId, server.accountId);
  const info = await server.rootClients.sts.getAccessKeyInfo({ AccessKeyId: user.accessKeyId });
  equal(info.Account, server.accountId);
  const used = await iam().getAccessKeyLastUsed({ AccessKeyId: user.accessKeyId });
  equal(used.UserName, "dan");
  equal(used.AccessKeyLastUsed?.ServiceName, "iam");
});

test("when a key was last used outlives a restart", async () => {
  const user = await server.createUser("gus");
  await user.clients.sts.getCallerIdentity({});
  const { accessKeyId: AccessKeyId } = user;
  const used = async () => (await iam().getAccessKeyLastUsed({ AccessKeyId })).AccessKeyLastUsed;
  const before = await used();
  equal(before?.ServiceName, "sts");
  server = await server.restart();
  deepEqual(await used(), before);
  const unused = await server.createUser("uma");
  const never = await iam().getAccessKeyLastUsed({ AccessKeyId: unused.accessKeyId });
  equal(never.AccessKeyLastUsed?.ServiceName, "N/A");
});

test("users, keys and policies outlive a restart", async () => {
  const allowed = { Effect: "Allow", Action: "iam:GetUser", Resource: "*" };
  const user = await server.createUser("eve", { Version: "2012-10-17", Statement: [allowed] });
  server = await server.restart();
  const again = server.clients(user);
  equal((await again.iam.getUser({})).User?.UserId, user.userId);
});

test("the audit of a new access key holds no secret", async () => {
  await iam().createUser({ UserName: "frank" });
  const { AccessKey } = await iam().createAccessKey({ UserName: "frank" });
  const events = await server.rootClients.cloudtrail.lookupEvents({
    LookupAttributes: [{ AttributeKey: "EventName", AttributeValue: "CreateAccessKey" }],
  });
  const text = events.Events?.[0]?.CloudTrailEvent ?? "{}";
  const { responseElements } = JSON.parse(text);
  equal(responseElements.accessKey.accessKeyId, AccessKey?.AccessKeyId);
  equal(text.includes(AccessKey?.SecretAccessKey ?? "?"), false);
});
