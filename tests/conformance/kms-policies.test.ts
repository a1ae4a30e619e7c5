import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import {
  type Answer,
  accountA,
  accountB,
  type Bed,
  createBed,
  refused,
  region,
} from "./kms-bed.ts";

// Goal: key policies decide as KMS's do, and none can be saved that AWS would refuse.
// Method: users with and without identity policies act on keys with and without the statements in
// question; each permission has a twin that lacks the one thing that gives it.

const arnOf = (keyId: string) => `arn:aws:kms:${region}:${accountA}:key/${keyId}`;
const userArn = (name: string, account = accountA) => `arn:aws:iam::${account}:user/${name}`;
const rootStatement = allow({ AWS: `arn:aws:iam::${accountA}:root` }, "kms:*");
const malformed = "MalformedPolicyDocumentException";
const invalidPrincipals = "Policy contains a statement with one or more invalid principals.";

test("the default policy is AWS's, printed as AWS prints it, and the only one", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const shown = await bed.kms("GetKeyPolicy", { KeyId });
  equal(shown.PolicyName, "default");
  equal(
    shown.Policy,
    `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${accountA}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`,
  );
  const listed = await bed.kms("ListKeyPolicies", { KeyId });
  deepEqual(listed, { PolicyNames: ["default"], Truncated: false });
  const other = bed.kms("GetKeyPolicy", { KeyId, PolicyName: "other" });
  await refused(other, "NotFoundException", "No such policy exists");
});

test("under the root statement identity policies decide, and without it they do not", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const allowed = await bed.user("alice", [{ Effect: "Allow", Action: "kms:*", Resource: "*" }]);
  const other = await bed.user("bob");
  const input = { KeyId, Plaintext: Buffer.from("x") };
  await bed.kms("Encrypt", input, allowed);
  const subject = `is not authorized to perform: kms:Encrypt on resource: ${arnOf(KeyId)}`;
  await refused(
    bed.kms("Encrypt", input, other),
    "AccessDeniedException",
    `User: ${userArn("bob")} ${subject} because no identity-based policy allows the ` +
      "kms:Encrypt action",
  );
  await putPolicy(bed, KeyId, [allow({ AWS: userArn("bob") }, "kms:*")], true);
  await bed.kms("Encrypt", input, other);
  await refused(
    bed.kms("Encrypt", input, allowed),
    "AccessDeniedException",
    `User: ${userArn("alice")} ${subject} because no resource-based policy allows the ` +
      "kms:Encrypt action",
  );
});

test("operations without a key follow identity policies", async () => {
  const bed = await createBed();
  const user = await bed.user("alice", [
    { Effect: "Allow", Action: ["kms:CreateKey", "kms:ListAliases"], Resource: "*" },
  ]);
  await bed.kms("CreateKey", {}, user);
  await bed.kms("ListAliases", {}, user);
  for (const operation of ["ListKeys", "GenerateRandom"]) {
    const act = bed.kms(operation, { NumberOfBytes: 1 }, user);
    await refused(act, "AccessDeniedException", new RegExp(`kms:${operation}`));
  }
  const tagged = bed.kms("CreateKey", { Tags: [{ TagKey: "a", TagValue: "b" }] }, user);
  await refused(tagged, "AccessDeniedException", /kms:TagResource/);
});

test("an alias needs the permission on the alias and on the key", async () => {
  const bed = await createBed();
  const TargetKeyId = await newKey(bed);
  const onAlias = `arn:aws:kms:${region}:${accountA}:alias/a`;
  const action = { Effect: "Allow", Action: "kms:CreateAlias" };
  const input = { AliasName: "alias/a", TargetKeyId };
  for (const [name, Resource] of [
    ["alias-only", [onAlias]],
    ["key-only", [arnOf(TargetKeyId)]],
  ] as const) {
    const user = await bed.user(name, [{ ...action, Resource }]);
    await refused(bed.kms("CreateAlias", input, user), "AccessDeniedException", /kms:CreateAlias/);
  }
  const both = await bed.user("both", [{ ...action, Resource: [onAlias, arnOf(TargetKeyId)] }]);
  await bed.kms("CreateAlias", input, both);
});

test("conditions on encryption context, request alias and resource aliases", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  await bed.kms("CreateAlias", { AliasName: "alias/emr", TargetKeyId: keyId });
  const conditions = {
    "kms:EncryptionContext:Ward": { StringEquals: { "kms:EncryptionContext:ward": "7" } },
    keys: { "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": "Ward" } },
    request: { StringEquals: { "kms:RequestAlias": "alias/emr" } },
    aliases: { "ForAnyValue:StringLike": { "kms:ResourceAliases": "alias/e*" } },
    spec: { StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:CallerAccount": accountA } },
    via: { StringEquals: { "kms:ViaService": "sqs.us-east-1.amazonaws.com" } },
  };
  const cases: readonly [condition: keyof typeof conditions, input: object, allowed: boolean][] = [
    ["kms:EncryptionContext:Ward", { EncryptionContext: { Ward: "7" } }, true],
    ["kms:EncryptionContext:Ward", { EncryptionContext: { Ward: "8" } }, false],
    ["kms:EncryptionContext:Ward", {}, false],
    // A value under another spelling of the name is no way in, and no harm where it is the same.
    ["kms:EncryptionContext:Ward", { EncryptionContext: { Ward: "8", ward: "7" } }, false],
    ["kms:EncryptionContext:Ward", { EncryptionContext: { Ward: "7", ward: "7" } }, true],
    ["keys", { EncryptionContext: { Ward: "8" } }, true],
    ["keys", { EncryptionContext: { ward: "8" } }, false],
    ["request", { KeyId: "alias/emr" }, true],
    ["request", {}, false],
    ["aliases", {}, true],
    ["spec", {}, true],
    ["via", {}, false],
  ];
  for (const [index, [name, input, allowed]] of cases.entries()) {
    const statement = { Effect: "Allow", Action: "kms:*", Resource: "*" };
    const user = await bed.user(`u${index}`, [{ ...statement, Condition: conditions[name] }]);
    const act = bed.kms("Encrypt", { KeyId: keyId, Plaintext: Buffer.from("x"), ...input }, user);
    if (allowed) await act;
    else await refused(act, "AccessDeniedException", /kms:Encrypt/);
  }
});

test("a policy that locks its author out is refused unless the check is waived", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  await bed.user("alice");
  const locked = [allow({ AWS: userArn("alice") }, "kms:*")];
  const text = "The new key policy will not allow you to update the key policy in the future.";
  await refused(putPolicy(bed, KeyId, locked), malformed, text);
  const Policy = policyText(locked);
  await refused(bed.kms("CreateKey", { Policy }), malformed, text);
  await bed.kms("CreateKey", { Policy, BypassPolicyLockoutSafetyCheck: true });
  await putPolicy(bed, KeyId, [rootStatement, ...locked]);
  // A user keeps the right by delegation only with an identity policy of its own.
  const creator = await bed.user("carol", [
    { Effect: "Allow", Action: "kms:CreateKey", Resource: "*" },
  ]);
  const delegated = policyText([rootStatement]);
  await refused(bed.kms("CreateKey", { Policy: delegated }, creator), malformed, text);
});

test("policies that are none are refused", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const put = (Policy: string) => bed.kms("PutKeyPolicy", { KeyId, Policy });
  await refused(put("{"), malformed, /./);
  await refused(put('{"Version":"2012-10-17"}'), malformed, /Statement/);
  const nobody = policyText([rootStatement, allow({ AWS: userArn("nobody") }, "kms:Decrypt")]);
  await refused(put(nobody), malformed, invalidPrincipals);
  const bad = policyText([rootStatement, allow({ AWS: "arn:aws:iam::1:user/x" }, "kms:Decrypt")]);
  await refused(put(bad), malformed, invalidPrincipals);
  const permissive = {
    ...rootStatement,
    Condition: { "ForAllValues:StringEquals": { "kms:EncryptionContext:a": "b" } },
  };
  await refused(
    put(policyText([permissive])),
    malformed,
    "OverlyPermissiveCondition:EncryptionContext: Using the ForAllValues set operator with a " +
      "single-valued condition key matches requests without the specified encryption context or " +
      "with an unspecified encryption context. To fix, remove ForAllValues.",
  );
  const long = policyText([{ ...rootStatement, Sid: "x".repeat(33_000) }]);
  await refused(put(long), "LimitExceededException", /32768 bytes/);
  match(String((await bed.kms("GetKeyPolicy", { KeyId })).Policy), /key-default-1/);
});

test("a principal that was deleted and made again has no access", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const before = await bed.user("alice");
  const policy = policyText([rootStatement, allow({ AWS: userArn("alice") }, "kms:Encrypt")]);
  await bed.kms("PutKeyPolicy", { KeyId, Policy: policy });
  equal((await bed.kms("GetKeyPolicy", { KeyId })).Policy, policy);
  const input = { KeyId, Plaintext: Buffer.from("x") };
  await bed.kms("Encrypt", input, before);
  const again = await madeAgain(bed, "alice");
  await refused(bed.kms("Encrypt", input, again), "AccessDeniedException", /kms:Encrypt/);
  const shown = String((await bed.kms("GetKeyPolicy", { KeyId })).Policy);
  match(shown, /"AWS" : "AIDA[A-Z2-7]{17}"/);
  equal(shown.includes(userArn("alice")), false);
});

// Keys with the same policy share its compiled form. Twin: with the text alone as what makes them
// alike, the second key would let nobody in, or the first one its old namesake's heir.
test("keys with one policy text stay apart where it names others, and when one changes", async () => {
  const bed = await createBed();
  await bed.user("alice");
  const Policy = policyText([rootStatement, allow({ AWS: userArn("alice") }, "kms:Encrypt")]);
  const input = (KeyId: string) => ({ KeyId, Plaintext: Buffer.from("x") });
  const first = await newKey(bed, { Policy });
  await bed.kms("Encrypt", input(first));
  const alice = await madeAgain(bed, "alice");
  const [second, third] = [await newKey(bed, { Policy }), await newKey(bed, { Policy })];
  const denied = (keyId: string) =>
    refused(bed.kms("Encrypt", input(keyId), alice), "AccessDeniedException", /kms:Encrypt/);
  await bed.kms("Encrypt", input(second), alice);
  await denied(first);
  await putPolicy(bed, second, [rootStatement]);
  await denied(second);
  await bed.kms("Encrypt", input(third), alice);
});

test("another account needs the key policy and its own identity policy", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  const input = { KeyId: arnOf(keyId), Plaintext: Buffer.from("x") };
  const Resource = arnOf(keyId);
  const allowed = await bed.user("bea", [{ Effect: "Allow", Action: "kms:*", Resource }], accountB);
  const other = await bed.user("ben", undefined, accountB);
  await refused(bed.kms("Encrypt", input, allowed), "AccessDeniedException", /does not exist in/);
  const foreign = allow({ AWS: accountB }, ["kms:Encrypt", "kms:DescribeKey", "kms:DisableKey"]);
  await putPolicy(bed, keyId, [rootStatement, foreign]);
  await bed.kms("Encrypt", input, allowed);
  await bed.kms("DescribeKey", { KeyId: arnOf(keyId) }, allowed);
  const text = "because no identity-based policy allows the kms:Encrypt action";
  await refused(bed.kms("Encrypt", input, other), "AccessDeniedException", new RegExp(text));
  // AWS offers no cross-account DisableKey, whatever the policies say.
  const disable = bed.kms("DisableKey", { KeyId: arnOf(keyId) }, allowed);
  await refused(disable, "AccessDeniedException", /kms:DisableKey/);
});

function allow(Principal: object, Action: string | string[]) {
  return { Effect: "Allow", Principal, Action, Resource: "*" };
}

function policyText(statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function putPolicy(bed: Bed, KeyId: string, statements: readonly object[], bypass = false) {
  const Policy = policyText(statements);
  const input = { KeyId, Policy, BypassPolicyLockoutSafetyCheck: bypass };
  return bed.kms("PutKeyPolicy", input);
}

async function newKey(bed: Bed, input: object = {}): Promise<string> {
  return String(((await bed.kms("CreateKey", input)).KeyMetadata as Answer).KeyId);
}

/** Another user of the same name. */
async function madeAgain(bed: Bed, UserName: string) {
  const keys = (await bed.iam("ListAccessKeys", { UserName })).AccessKeyMetadata;
  for (const { AccessKeyId } of keys as { AccessKeyId: string }[]) {
    await bed.iam("DeleteAccessKey", { UserName, AccessKeyId });
  }
  await bed.iam("DeleteUser", { UserName });
  return bed.user(UserName);
}
