import { deepEqual, equal, match, notEqual } from "node:assert/strict";
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

// Goal: a grant gives exactly what it says to exactly whom it names, and ends at once. Method: the
// operations behind the real pipeline and policy engine; every permission has its twin that fails.

const userArn = (name: string, account = accountA) => `arn:aws:iam::${account}:user/${name}`;
const notAllowed = /is not authorized to perform/;
const text = Buffer.from("x");

async function newKey(bed: Bed, input: object = {}): Promise<string> {
  const created = await bed.kms("CreateKey", input);
  return String((created.KeyMetadata as Answer).KeyId);
}

/** A key with a grant for a user that has no policy of its own. */
async function granted(input: object, bed?: Bed) {
  const here = bed ?? (await createBed());
  const KeyId = await newKey(here);
  const user = await here.user("reader");
  const GranteePrincipal = userArn("reader");
  const grant = await here.kms("CreateGrant", { KeyId, GranteePrincipal, ...input });
  return { bed: here, KeyId, user, GrantId: String(grant.GrantId), GrantToken: grant.GrantToken };
}

test("a grant allows its operations to its grantee, and no others", async () => {
  const { bed, KeyId, user } = await granted({ Operations: ["Encrypt", "DescribeKey"] });
  const stranger = await bed.user("stranger");
  const sealed = await bed.kms("Encrypt", { KeyId, Plaintext: text }, user);
  await bed.kms("DescribeKey", { KeyId }, user);
  const decrypt = { CiphertextBlob: sealed.CiphertextBlob };
  await refused(bed.kms("Decrypt", decrypt, user), "AccessDeniedException", notAllowed);
  const act = bed.kms("Encrypt", { KeyId, Plaintext: text }, stranger);
  await refused(act, "AccessDeniedException", notAllowed);
});

test("an explicit Deny is stronger than a grant", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const denied = await bed.user("denied", { Effect: "Deny", Action: "kms:Encrypt", Resource: "*" });
  const GranteePrincipal = userArn("denied");
  await bed.kms("CreateGrant", { KeyId, GranteePrincipal, Operations: ["Encrypt"] });
  const act = bed.kms("Encrypt", { KeyId, Plaintext: text }, denied);
  await refused(act, "AccessDeniedException", /explicit deny/);
});

test("constraints: the whole context, or a part of it", async () => {
  for (const [constraint, allowed, forbidden] of [
    [
      { EncryptionContextEquals: { ward: "7" } },
      [{ ward: "7" }],
      [{}, { ward: "8" }, { Ward: "7" }, { ward: "7", bed: "1" }],
    ],
    [
      { EncryptionContextSubset: { ward: "7" } },
      [{ ward: "7" }, { ward: "7", bed: "1" }],
      [{}, { ward: "8", bed: "1" }],
    ],
  ] as const) {
    const { bed, KeyId, user } = await granted({
      Operations: ["Encrypt", "DescribeKey"],
      Constraints: constraint,
    });
    const encrypt = (EncryptionContext: object) =>
      bed.kms("Encrypt", { KeyId, Plaintext: text, EncryptionContext }, user);
    for (const context of allowed) await encrypt(context);
    for (const context of forbidden) {
      await refused(encrypt(context), "AccessDeniedException", notAllowed);
    }
    await bed.kms("DescribeKey", { KeyId }, user);
  }
});

test("a user that was made again is not the grantee any more", async () => {
  const { bed, KeyId, user } = await granted({ Operations: ["Encrypt"] });
  await bed.kms("Encrypt", { KeyId, Plaintext: text }, user);
  const keys = await bed.iam("ListAccessKeys", { UserName: "reader" });
  for (const { AccessKeyId } of keys.AccessKeyMetadata as { AccessKeyId: string }[]) {
    await bed.iam("DeleteAccessKey", { UserName: "reader", AccessKeyId });
  }
  await bed.iam("DeleteUser", { UserName: "reader" });
  const again = await bed.user("reader");
  const act = bed.kms("Encrypt", { KeyId, Plaintext: text }, again);
  await refused(act, "AccessDeniedException", notAllowed);
});

test("revoked and retired grants end at once; who may retire", async () => {
  const first = await granted({ Operations: ["Encrypt", "RetireGrant"] });
  const { bed, KeyId, user } = first;
  const encrypt = () => bed.kms("Encrypt", { KeyId, Plaintext: text }, user);
  await encrypt();
  await bed.kms("RetireGrant", { KeyId, GrantId: first.GrantId }, user);
  await refused(encrypt(), "AccessDeniedException", notAllowed);

  const retirer = await bed.user("retirer");
  const create = { KeyId, GranteePrincipal: userArn("reader"), Operations: ["Encrypt"] };
  const second = await bed.kms("CreateGrant", { ...create, RetiringPrincipal: userArn("retirer") });
  const GrantToken = second.GrantToken;
  await refused(bed.kms("RetireGrant", { GrantToken }, user), "AccessDeniedException", notAllowed);
  await encrypt();
  await bed.kms("RetireGrant", { GrantToken }, retirer);
  await refused(encrypt(), "AccessDeniedException", notAllowed);
  await refused(bed.kms("RetireGrant", { GrantToken }), "NotFoundException", /Grant/);

  const third = await bed.kms("CreateGrant", create);
  const byKey = { KeyId, GrantId: third.GrantId };
  const revoke = bed.kms("RevokeGrant", byKey, user);
  await refused(revoke, "AccessDeniedException", notAllowed);
  await bed.kms("RevokeGrant", byKey);
  await refused(encrypt(), "AccessDeniedException", notAllowed);
  await refused(bed.kms("RevokeGrant", byKey), "NotFoundException", /Grant/);
  await refused(
    bed.kms("RevokeGrant", { KeyId, GrantId: "zz" }),
    "InvalidGrantIdException",
    /not valid/,
  );
  const listed = await bed.kms("ListGrants", { KeyId });
  deepEqual(listed, { Grants: [], Truncated: false });
});

test("child grants only narrow", async () => {
  const { bed, KeyId, user } = await granted({
    Operations: ["Encrypt", "Decrypt", "CreateGrant"],
    Constraints: { EncryptionContextSubset: { ward: "7" } },
  });
  await bed.user("child");
  const child = (input: object) =>
    bed.kms("CreateGrant", { KeyId, GranteePrincipal: userArn("child"), ...input }, user);
  const inside = { EncryptionContextSubset: { ward: "7", bed: "1" } };
  await child({ Operations: ["Encrypt"], Constraints: inside });
  await child({ Operations: ["Decrypt"], Constraints: { EncryptionContextEquals: { ward: "7" } } });
  for (const wider of [
    { Operations: ["Encrypt"] },
    { Operations: ["Encrypt"], Constraints: { EncryptionContextSubset: { bed: "1" } } },
    { Operations: ["Encrypt", "Sign"], Constraints: inside },
    { Operations: ["GenerateDataKey"], Constraints: inside },
  ]) {
    await refused(child(wider), "AccessDeniedException", notAllowed);
  }
  // Twin: the account itself is not bound by anybody's grant.
  const own = { KeyId, GranteePrincipal: userArn("child"), Operations: ["GenerateDataKey"] };
  await bed.kms("CreateGrant", own);
});

test("the same name and parameters are the same grant, with a token of its own", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  await bed.user("reader");
  const create = (input: object) =>
    bed.kms("CreateGrant", {
      KeyId,
      GranteePrincipal: userArn("reader"),
      Operations: ["Encrypt", "Decrypt"],
      ...input,
    });
  const one = await create({ Name: "nightly" });
  const two = await create({ Name: "nightly", Operations: ["Decrypt", "Encrypt"] });
  equal(two.GrantId, one.GrantId);
  notEqual(two.GrantToken, one.GrantToken);
  match(String(one.GrantId), /^[0-9a-f]{64}$/);
  const other = await create({ Name: "nightly", Operations: ["Decrypt"] });
  notEqual(other.GrantId, one.GrantId);
  notEqual((await create({})).GrantId, (await create({})).GrantId);
  const listed = (await bed.kms("ListGrants", { KeyId })).Grants as Answer[];
  equal(listed.length, 4);
});

test("tokens: genuine ones are taken, others refused", async () => {
  const { bed, KeyId, user, GrantToken } = await granted({ Operations: ["Encrypt"] });
  const encrypt = (token: string) =>
    bed.kms("Encrypt", { KeyId, Plaintext: text, GrantTokens: [token] }, user);
  const token = String(GrantToken);
  await encrypt(token);
  const flipped = Buffer.from(token, "base64");
  flipped[20] = (flipped[20] ?? 0) ^ 1;
  for (const bad of ["", "x", "AAAA", flipped.toString("base64"), `${token}AAAA`]) {
    await refused(encrypt(bad), "InvalidGrantTokenException", /not valid/);
  }
});

test("lists: filters, pages, what is shown, and the other way round by retiring principal", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  for (const name of ["one", "two", "keeper"]) await bed.user(name);
  const Constraints = { EncryptionContextEquals: { ward: "7" } };
  for (const name of ["one", "two", "one"]) {
    await bed.kms("CreateGrant", {
      KeyId,
      GranteePrincipal: userArn(name),
      RetiringPrincipal: userArn("keeper"),
      Operations: ["Decrypt"],
      Constraints,
    });
  }
  const all = (await bed.kms("ListGrants", { KeyId })).Grants as Answer[];
  equal(all.length, 3);
  const pages: Answer[] = [];
  let Marker: unknown;
  do {
    const page = await bed.kms("ListGrants", { KeyId, Limit: 2, ...(Marker ? { Marker } : {}) });
    pages.push(...(page.Grants as Answer[]));
    Marker = page.NextMarker;
  } while (Marker);
  deepEqual(pages, all);
  const mine = await bed.kms("ListGrants", { KeyId, GranteePrincipal: userArn("one") });
  equal((mine.Grants as Answer[]).length, 2);
  const [first] = all;
  const single = await bed.kms("ListGrants", { KeyId, GrantId: first?.GrantId });
  deepEqual(single.Grants, [first]);
  const { GrantId: _, CreationDate: __, GranteePrincipal: ___, ...shown } = first ?? {};
  deepEqual(shown, {
    KeyId: `arn:aws:kms:${region}:${accountA}:key/${KeyId}`,
    Name: "",
    RetiringPrincipal: userArn("keeper"),
    IssuingAccount: `arn:aws:iam::${accountA}:root`,
    Operations: ["Decrypt"],
    Constraints,
  });
  const retirable = { RetiringPrincipal: userArn("keeper") };
  const found = (await bed.kms("ListRetirableGrants", retirable)).Grants as Answer[];
  equal(found.length, 3);
  const foreign = bed.kms("ListRetirableGrants", retirable, bed.root(accountB));
  await refused(foreign, "InvalidArnException", /not of your account/);
});

test("a grant across accounts also needs the other account's own policy", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const arn = `arn:aws:kms:${region}:${accountA}:key/${KeyId}`;
  const allow = { Effect: "Allow", Action: "kms:Encrypt", Resource: "*" };
  const allowed = await bed.user("allowed", allow, accountB);
  const bare = await bed.user("bare", undefined, accountB);
  const encrypt = (caller: typeof bare) =>
    bed.kms("Encrypt", { KeyId: arn, Plaintext: text }, caller);
  await refused(encrypt(allowed), "AccessDeniedException", notAllowed);
  for (const name of ["allowed", "bare"]) {
    const GranteePrincipal = userArn(name, accountB);
    await bed.kms("CreateGrant", { KeyId, GranteePrincipal, Operations: ["Encrypt"] });
  }
  await encrypt(allowed);
  await refused(encrypt(bare), "AccessDeniedException", notAllowed);
});

test("what a grant may not say", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const mac = await newKey(bed, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
  await bed.user("reader");
  const create = (input: object) =>
    bed.kms("CreateGrant", {
      KeyId,
      GranteePrincipal: userArn("reader"),
      Operations: ["Decrypt"],
      ...input,
    });
  const pairs = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, "v"]));
  const long = { EncryptionContextEquals: { k: "v".repeat(385) } };
  for (const [input, code] of [
    [{ Operations: ["Sign"] }, "ValidationException"],
    [{ KeyId: mac }, "ValidationException"],
    [
      { KeyId: mac, Operations: ["GenerateMac"], Constraints: { EncryptionContextEquals: {} } },
      "ValidationException",
    ],
    [{ Constraints: { EncryptionContextEquals: pairs } }, "ValidationException"],
    [{ Constraints: long }, "ValidationException"],
    [{ GranteePrincipal: userArn("nobody") }, "InvalidArnException"],
    [{ GranteePrincipal: "sns.amazonaws.com" }, "InvalidArnException"],
    [{ GranteePrincipal: "*" }, "InvalidArnException"],
    [{ RetiringPrincipal: "x" }, "InvalidArnException"],
    [{ GranteeServicePrincipal: "sns.amazonaws.com" }, "UnsupportedOperationException"],
    [{ KeyId: "alias/x" }, "NotFoundException"],
    [{ GranteePrincipal: undefined }, "ValidationException"],
  ] as const) {
    await refused(create(input), code, /./);
  }
});

test("kms:GrantOperations and its like decide about CreateGrant", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  await bed.user("reader");
  const maker = await bed.user("maker", {
    Effect: "Allow",
    Action: "kms:CreateGrant",
    Resource: "*",
    Condition: {
      "ForAllValues:StringEquals": { "kms:GrantOperations": ["Encrypt", "Decrypt"] },
      StringEquals: {
        "kms:GranteePrincipal": userArn("reader"),
        "kms:EncryptionContext:ward": "7",
        "kms:GrantConstraintType": "EncryptionContextSubset",
      },
    },
  });
  const create = (input: object) =>
    bed.kms(
      "CreateGrant",
      {
        KeyId,
        GranteePrincipal: userArn("reader"),
        Operations: ["Decrypt"],
        Constraints: { EncryptionContextSubset: { ward: "7" } },
        ...input,
      },
      maker,
    );
  await create({});
  for (const input of [
    { Operations: ["Decrypt", "DescribeKey"] },
    { GranteePrincipal: userArn("maker") },
    { Constraints: undefined },
    { Constraints: { EncryptionContextEquals: { ward: "7" } } },
  ]) {
    await refused(create(input), "AccessDeniedException", notAllowed);
  }
});

test("DryRun changes nothing and answers as the call would", async () => {
  const { bed, KeyId, user, GrantId } = await granted({ Operations: ["Encrypt", "RetireGrant"] });
  const dry = "The request would have succeeded, but the DryRun option is set.";
  const create = { KeyId, GranteePrincipal: userArn("reader"), Operations: ["Decrypt"] };
  const run = (operation: string, input: object, caller = bed.root(accountA)) =>
    refused(
      bed.kms(operation, { ...input, DryRun: true }, caller),
      "DryRunOperationException",
      dry,
    );
  await run("CreateGrant", create);
  await run("RetireGrant", { KeyId, GrantId }, user);
  await run("RevokeGrant", { KeyId, GrantId });
  equal(((await bed.kms("ListGrants", { KeyId })).Grants as Answer[]).length, 1);
  const denied = bed.kms("RevokeGrant", { KeyId, GrantId, DryRun: true }, user);
  await refused(denied, "AccessDeniedException", notAllowed);
});

test("grants go with their key, from both lists", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  await bed.user("keeper");
  const RetiringPrincipal = userArn("keeper");
  const GranteePrincipal = userArn("keeper");
  await bed.kms("CreateGrant", {
    ...{ KeyId, GranteePrincipal, RetiringPrincipal, Operations: ["Decrypt"] },
  });
  await bed.kms("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  await bed.runDue(bed.clock.nowMs + 8 * 86_400_000);
  const left = await bed.kms("ListRetirableGrants", { RetiringPrincipal });
  deepEqual(left.Grants, []);
});
