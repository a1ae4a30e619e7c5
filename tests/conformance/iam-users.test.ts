import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { principals } from "../../src/services/iam/ports.ts";
import {
  type Answer,
  accountA,
  accountB,
  type Bed,
  createBed,
  refused,
  startMs,
} from "./kms-bed.ts";

// Goal: users, access keys, inline policies and the identity of callers behave as IAM's and STS's
// do, and what IAM lends to the server (credentials, policies, principals) follows each change at
// once.
// Method: the operations behind the real pipeline and authoriser; expected texts typed from the
// sheet.

const arnOf = (name: string, path = "/", account = accountA) =>
  `arn:aws:iam::${account}:user${path}${name}`;
const missing = (name: string) => `The user with name ${name} cannot be found.`;
const allowAll = [{ Effect: "Allow", Action: "*", Resource: "*" }];

test("a user: created, shown, listed, renamed, deleted", async () => {
  const bed = await createBed();
  const Tags = [{ Key: "team", Value: "emr" }];
  const created = await bed.iam("CreateUser", { UserName: "Alice", Path: "/ward/", Tags });
  const user = created.User as Answer;
  match(String(user.UserId), /^AIDA[A-Z2-7]{17}$/);
  const shown = {
    Path: "/ward/",
    UserName: "Alice",
    UserId: user.UserId,
    Arn: arnOf("Alice", "/ward/"),
    CreateDate: startMs,
  };
  deepEqual(user, { ...shown, Tags });
  deepEqual(await bed.iam("GetUser", { UserName: "alice" }), { User: { ...shown, Tags } });
  const exists = "User with name ALICE already exists.";
  await refused(bed.iam("CreateUser", { UserName: "ALICE" }), "EntityAlreadyExists", exists);
  await bed.iam("CreateUser", { UserName: "bob" });
  const listed = await bed.iam("ListUsers", { PathPrefix: "/ward/" });
  deepEqual(listed, { Users: [shown], IsTruncated: false });
  await bed.iam("UpdateUser", { UserName: "Alice", NewUserName: "carol", NewPath: "/" });
  await refused(bed.iam("GetUser", { UserName: "Alice" }), "NoSuchEntity", missing("Alice"));
  const renamed = (await bed.iam("GetUser", { UserName: "carol" })).User as Answer;
  deepEqual([renamed.UserId, renamed.Arn], [user.UserId, arnOf("carol")]);
  const taken = bed.iam("UpdateUser", { UserName: "carol", NewUserName: "Bob" });
  await refused(taken, "EntityAlreadyExists", "User with name Bob already exists.");
  await bed.iam("DeleteUser", { UserName: "carol" });
  await refused(bed.iam("DeleteUser", { UserName: "carol" }), "NoSuchEntity", missing("carol"));
  const boundary = { UserName: "dan", PermissionsBoundary: "arn:aws:iam::aws:policy/x" };
  const unknown = "Policy arn:aws:iam::aws:policy/x does not exist or is not attachable.";
  await refused(bed.iam("CreateUser", boundary), "NoSuchEntity", unknown);
});

test("a user with keys or policies is not deleted", async () => {
  const bed = await createBed();
  const caller = await bed.user("alice", allowAll);
  const code = "DeleteConflict";
  const remove = () => bed.iam("DeleteUser", { UserName: "alice" });
  await refused(remove(), code, "Cannot delete entity, must delete access keys first.");
  ok(caller.kind === "user");
  const AccessKeyId = caller.accessKeyId;
  await bed.iam("DeleteAccessKey", { UserName: "alice", AccessKeyId });
  await refused(remove(), code, "Cannot delete entity, must delete policies first.");
  await bed.iam("DeleteUserPolicy", { UserName: "alice", PolicyName: "inline" });
  await remove();
});

test("an access key works until inactive or deleted, and follows its user's name", async () => {
  const bed = await createBed();
  await bed.iam("CreateUser", { UserName: "alice" });
  const made = (await bed.iam("CreateAccessKey", { UserName: "alice" })).AccessKey as Answer;
  const AccessKeyId = String(made.AccessKeyId);
  match(AccessKeyId, /^AKIA[A-Z2-7]{16}$/);
  match(String(made.SecretAccessKey), /^[A-Za-z0-9+/]{40}$/);
  deepEqual([made.Status, made.UserName, made.CreateDate], ["Active", "alice", startMs]);
  const find = () => bed.credentials.find(bed.state.view(), AccessKeyId);
  const first = await find();
  equal(String(first?.secretAccessKey), made.SecretAccessKey);
  equal(await find(), first, "the same record answers from the cache");
  const set = (Status: string) =>
    bed.iam("UpdateAccessKey", { UserName: "alice", AccessKeyId, Status });
  await set("Inactive");
  equal(await find(), undefined);
  await set("Active");
  ok(await find());
  await bed.iam("UpdateUser", { UserName: "alice", NewUserName: "anna" });
  const renamed = await find();
  equal(renamed?.caller.kind === "user" && renamed.caller.arn, arnOf("anna"));
  const list = await bed.iam("ListAccessKeys", { UserName: "anna" });
  const entry = { UserName: "anna", AccessKeyId, Status: "Active", CreateDate: startMs };
  deepEqual(list, { AccessKeyMetadata: [entry], IsTruncated: false });
  await bed.iam("CreateAccessKey", { UserName: "anna" });
  const quota = "Cannot exceed quota for AccessKeysPerUser: 2";
  await refused(bed.iam("CreateAccessKey", { UserName: "anna" }), "LimitExceeded", quota);
  await bed.iam("DeleteAccessKey", { UserName: "anna", AccessKeyId });
  equal(await find(), undefined);
  const gone = `The Access Key with id ${AccessKeyId} cannot be found`;
  const again = bed.iam("DeleteAccessKey", { UserName: "anna", AccessKeyId });
  await refused(again, "NoSuchEntity", gone);
});

test("an access key is its owner's only", async () => {
  const bed = await createBed();
  const caller = await bed.user("alice");
  await bed.iam("CreateUser", { UserName: "bob" });
  ok(caller.kind === "user");
  const AccessKeyId = caller.accessKeyId;
  const text = `The Access Key with id ${AccessKeyId} cannot be found`;
  const foreign = bed.iam("DeleteAccessKey", { UserName: "bob", AccessKeyId });
  await refused(foreign, "NoSuchEntity", text);
  const otherAccount = bed.iam("GetAccessKeyLastUsed", { AccessKeyId }, bed.root(accountB));
  await refused(otherAccount, "NoSuchEntity", text);
});

test("when a key was last used is answered as far as it is known", async () => {
  const bed = await createBed();
  const caller = await bed.user("alice");
  ok(caller.kind === "user");
  const AccessKeyId = caller.accessKeyId;
  const unused = { ServiceName: "N/A", Region: "N/A" };
  const ask = () => bed.iam("GetAccessKeyLastUsed", { AccessKeyId });
  deepEqual(await ask(), { UserName: "alice", AccessKeyLastUsed: unused });
  bed.uses.set(AccessKeyId, { atMs: 1000, service: "sqs", region: "us-east-1" });
  deepEqual(await ask(), {
    UserName: "alice",
    AccessKeyLastUsed: { LastUsedDate: 1000, ServiceName: "sqs", Region: "us-east-1" },
  });
});

test("the root user is no IAM user, and keeps its own keys", async () => {
  const bed = await createBed();
  const root = (await bed.iam("GetUser", {})).User as Answer;
  deepEqual([root.UserId, root.Arn], [accountA, `arn:aws:iam::${accountA}:root`]);
  deepEqual((await bed.iam("ListUsers", {})).Users, []);
  const made = (await bed.iam("CreateAccessKey", {})).AccessKey as Answer;
  const keys = (await bed.iam("ListAccessKeys", {})).AccessKeyMetadata as Answer[];
  equal(keys.length, 2);
  const AccessKeyId = String(made.AccessKeyId);
  const found = await bed.credentials.find(bed.state.view(), AccessKeyId);
  equal(found?.caller.kind, "root");
  await bed.iam("DeleteAccessKey", { AccessKeyId });
  equal(await bed.credentials.find(bed.state.view(), AccessKeyId), undefined);
});

test("inline policies: saved, shown URL-encoded, deleted, and at work at once", async () => {
  const bed = await createBed();
  const caller = await bed.user("alice");
  const denied = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: ";
  const why = (action: string, on: string) =>
    `${denied}${action} on resource: ${on} because no identity-based policy allows the ` +
    `${action} action`;
  const self = why("iam:GetUser", arnOf("alice"));
  await refused(bed.iam("GetUser", {}, caller), "AccessDenied", self);
  const ghost = why("iam:GetUser", arnOf("ghost"));
  await refused(bed.iam("GetUser", { UserName: "ghost" }, caller), "AccessDenied", ghost);
  const statement = { Effect: "Allow", Action: "iam:GetUser", Resource: arnOf("alice") };
  const document = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const named = { UserName: "alice", PolicyName: "self" };
  await bed.iam("PutUserPolicy", { ...named, PolicyDocument: document });
  equal(((await bed.iam("GetUser", {}, caller)).User as Answer).UserName, "alice");
  const shown = await bed.iam("GetUserPolicy", named);
  equal(/[{}"*' ]/.test(String(shown.PolicyDocument)), false);
  equal(decodeURIComponent(String(shown.PolicyDocument)), document);
  const list = await bed.iam("ListUserPolicies", { UserName: "alice" });
  deepEqual(list, { PolicyNames: ["self"], IsTruncated: false });
  await bed.iam("DeleteUserPolicy", named);
  await refused(bed.iam("GetUser", {}, caller), "AccessDenied", self);
  const gone = "The user policy with name self cannot be found.";
  await refused(bed.iam("GetUserPolicy", named), "NoSuchEntity", gone);
  await refused(bed.iam("DeleteUserPolicy", named), "NoSuchEntity", gone);
});

test("documents that are no identity policies are refused", async () => {
  const bed = await createBed();
  await bed.iam("CreateUser", { UserName: "alice" });
  const put = (PolicyDocument: string) =>
    bed.iam("PutUserPolicy", { UserName: "alice", PolicyName: "p", PolicyDocument });
  const text = (statement: object) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const code = "MalformedPolicyDocument";
  const allow = { Effect: "Allow", Action: "sqs:*", Resource: "*" };
  const json = "This policy contains invalid Json (line 1, column 2: ";
  await refused(put("{"), code, `${json}a member name in quotes is expected)`);
  const principal = "Policy document should not specify a principal.";
  const at = " (Statement[0].Principal)";
  await refused(put(text({ ...allow, Principal: "*" })), code, principal + at);
  const resources = "Policy statement must contain resources. (Statement[0])";
  await refused(put(text({ Effect: "Allow", Action: "sqs:*" })), code, resources);
  await refused(put(text({ ...allow, Effect: "allow" })), code, /^Syntax errors in policy\./);
  const long = text({ ...allow, Resource: [`arn:aws:sqs:*:*:${"x".repeat(2100)}`] });
  const size = "Maximum policy size of 2048 bytes exceeded for user alice";
  await refused(put(long), "LimitExceeded", size);
  deepEqual((await bed.iam("ListUserPolicies", { UserName: "alice" })).PolicyNames, []);
});

test("tags of users know no case, and reach conditions", async () => {
  const bed = await createBed();
  const caller = await bed.user("alice", [
    {
      Effect: "Allow",
      Action: "iam:ListUserTags",
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalTag/Team": "emr" } },
    },
  ]);
  const own = async () => {
    ok(caller.kind === "user");
    const found = await bed.credentials.find(bed.state.view(), caller.accessKeyId);
    ok(found);
    return bed.iam("ListUserTags", { UserName: "alice" }, found.caller);
  };
  await refused(own(), "AccessDenied", /iam:ListUserTags/);
  const tag = (Tags: object[]) => bed.iam("TagUser", { UserName: "alice", Tags });
  await tag([{ Key: "team", Value: "emr" }]);
  deepEqual(await own(), { Tags: [{ Key: "team", Value: "emr" }], IsTruncated: false });
  await tag([{ Key: "Team", Value: "emr" }]);
  deepEqual((await own()).Tags, [{ Key: "Team", Value: "emr" }]);
  const twice = [
    { Key: "a", Value: "1" },
    { Key: "A", Value: "2" },
  ];
  const text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
  await refused(tag(twice), "InvalidInput", text);
  await bed.iam("UntagUser", { UserName: "alice", TagKeys: ["TEAM"] });
  await refused(own(), "AccessDenied", /iam:ListUserTags/);
});

test("users come in pages, in order of name", async () => {
  const bed = await createBed();
  const names = ["anna", "Bert", "carl", "Dora", "emil"];
  for (const UserName of names.toReversed()) await bed.iam("CreateUser", { UserName });
  const seen: unknown[] = [];
  let Marker: string | undefined;
  do {
    const page: Answer = await bed.iam("ListUsers", { MaxItems: 2, Marker });
    seen.push(...(page.Users as Answer[]).map((user) => user.UserName));
    Marker = page.Marker as string | undefined;
    equal(page.IsTruncated, Marker !== undefined);
  } while (Marker !== undefined);
  deepEqual(seen, names);
  await refused(bed.iam("ListUsers", { Marker: "???" }), "ValidationError", /Marker/);
});

test("principals resolve by their whole ARN to who they are now", async () => {
  const bed = await createBed();
  const resolve = (arn: string) => principals.resolve(bed.state.view(), arn);
  await bed.iam("CreateUser", { UserName: "Alice", Path: "/ward/" });
  const id = await resolve(arnOf("Alice", "/ward/"));
  match(String(id), /^AIDA/);
  for (const wrong of [
    arnOf("Alice"),
    arnOf("alice", "/ward/"),
    arnOf("Alice", "/ward/", accountB),
    `arn:aws:iam::${accountA}:root`,
    `arn:aws:sns:us-east-1:${accountA}:user/ward/Alice`,
  ]) {
    equal(await resolve(wrong), undefined, wrong);
  }
  await bed.iam("DeleteUser", { UserName: "Alice" });
  equal(await resolve(arnOf("Alice", "/ward/")), undefined);
  await bed.iam("CreateUser", { UserName: "Alice", Path: "/ward/" });
  notEqual(await resolve(arnOf("Alice", "/ward/")), id);
});

test("a recreated user of the same name inherits neither keys nor policies", async () => {
  const bed = await createBed();
  const before = await bed.user("alice", allowAll);
  ok(before.kind === "user");
  await removeUser(bed, "alice", before.accessKeyId);
  await bed.user("alice", allowAll);
  equal(await bed.credentials.find(bed.state.view(), before.accessKeyId), undefined);
  // A request that was authenticated just before the deletion.
  await refused(bed.iam("ListUsers", {}, before), "AccessDenied", /iam:ListUsers/);
});

test("GetCallerIdentity needs no permission; GetAccessKeyInfo names the account", async () => {
  const bed = await createBed();
  const user = await bed.user("alice");
  ok(user.kind === "user");
  const { principalId: UserId, arn: Arn, accessKeyId: AccessKeyId } = user;
  const identity = await bed.sts("GetCallerIdentity", {}, user);
  deepEqual(identity, { UserId, Account: accountA, Arn });
  const rootArn = `arn:aws:iam::${accountA}:root`;
  const root = { UserId: accountA, Account: accountA, Arn: rootArn };
  deepEqual(await bed.sts("GetCallerIdentity", {}), root);
  deepEqual(await bed.sts("GetAccessKeyInfo", { AccessKeyId }, bed.root(accountB)), {
    Account: accountA,
  });
  const unknown = bed.sts("GetAccessKeyInfo", { AccessKeyId: "AKIAAAAAAAAAAAAAAAAA" });
  await refused(unknown, "ValidationError", /access key/);
  await refused(bed.sts("GetAccessKeyInfo", { AccessKeyId }, user), "AccessDenied", /sts:/);
});

async function removeUser(bed: Bed, UserName: string, AccessKeyId: string): Promise<void> {
  await bed.iam("DeleteAccessKey", { UserName, AccessKeyId });
  await bed.iam("DeleteUserPolicy", { UserName, PolicyName: "inline" });
  await bed.iam("DeleteUser", { UserName });
}
