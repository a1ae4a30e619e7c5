import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { auditedMetadata } from "../../src/services/kms/metadata.ts";
import {
  type Answer,
  accountA,
  accountB,
  type Bed,
  createBed,
  refused,
  region,
  startMs,
} from "./kms-bed.ts";

// Goal: keys, names, ciphertexts, tags and pages behave as KMS's do, refusals in its words.
// Method: the operations behind the real pipeline and the real cryptography; expected texts are
// those of the fact sheet, typed here.

const unknownId = "1234abcd-12ab-34cd-56ef-1234567890ab";
const arnOf = (keyId: string, account = accountA) =>
  `arn:aws:kms:${region}:${account}:key/${keyId}`;
const aliasArnOf = (name: string) => `arn:aws:kms:${region}:${accountA}:${name}`;

test("CreateKey answers every member that AWS shows, and the audit's form of it", async () => {
  const bed = await createBed();
  const { KeyMetadata } = await bed.kms("CreateKey", {});
  const metadata = KeyMetadata as Answer;
  const keyId = String(metadata.KeyId);
  match(keyId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const materialId = String(metadata.CurrentKeyMaterialId);
  match(materialId, /^[0-9a-f]{64}$/);
  const common = { KeyUsage: "ENCRYPT_DECRYPT", KeyState: "Enabled", Origin: "AWS_KMS" };
  const spec = "SYMMETRIC_DEFAULT";
  deepEqual(metadata, {
    AWSAccountId: accountA,
    KeyId: keyId,
    Arn: arnOf(keyId),
    CreationDate: startMs,
    Enabled: true,
    Description: "",
    ...common,
    KeyManager: "CUSTOMER",
    CustomerMasterKeySpec: spec,
    KeySpec: spec,
    EncryptionAlgorithms: [spec],
    MultiRegion: false,
    CurrentKeyMaterialId: materialId,
  });
  deepEqual(await bed.kms("DescribeKey", { KeyId: keyId }), { KeyMetadata });
  deepEqual(auditedMetadata(metadata as never), {
    aWSAccountId: accountA,
    keyId,
    arn: arnOf(keyId),
    creationDate: "Jan 2, 2026, 3:04:05 AM",
    enabled: true,
    description: "",
    keyUsage: "ENCRYPT_DECRYPT",
    keyState: "Enabled",
    origin: "AWS_KMS",
    keyManager: "CUSTOMER",
    customerMasterKeySpec: spec,
    keySpec: spec,
    encryptionAlgorithms: [spec],
    multiRegion: false,
    currentKeyMaterialId: materialId,
  });
});

test("kinds of keys that are not built are refused by name, wrong kinds as by AWS", async () => {
  const bed = await createBed();
  const unsupported = "UnsupportedOperationException";
  const usage =
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
  const cases: readonly [input: object, code: string, text: string][] = [
    [
      { KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" },
      unsupported,
      "KeySpec SM2 is not available on this server.",
    ],
    [
      { CustomKeyStoreId: "cks-1" },
      unsupported,
      "CustomKeyStoreId is not available on this server.",
    ],
    [{ KeySpec: "RSA_2048" }, "ValidationException", usage],
    [
      { KeySpec: "RSA_2048", KeyUsage: "KEY_AGREEMENT" },
      "ValidationException",
      "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
    ],
    [
      { KeyUsage: "SIGN_VERIFY" },
      "ValidationException",
      "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT",
    ],
  ];
  for (const [input, code, text] of cases) await refused(bed.kms("CreateKey", input), code, text);
  deepEqual(await bed.kms("ListKeys", {}), { Keys: [], Truncated: false });
});

test("a key answers to its id, its ARN, its alias and its alias's ARN", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  await bed.kms("CreateAlias", { AliasName: "alias/EMRKey", TargetKeyId: keyId });
  for (const KeyId of [keyId, arnOf(keyId), "alias/EMRKey", aliasArnOf("alias/EMRKey")]) {
    const sealed = await bed.kms("Encrypt", { KeyId, Plaintext: Buffer.from("x") });
    equal(sealed.KeyId, arnOf(keyId));
    const opened = await bed.kms("Decrypt", { CiphertextBlob: sealed.CiphertextBlob, KeyId });
    equal(String(opened.Plaintext), "x");
  }
});

test("names that lead nowhere are refused in AWS's words", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  await bed.kms("CreateAlias", { AliasName: "alias/one", TargetKeyId: keyId });
  const cases: readonly [keyId: string, text: string][] = [
    [unknownId, `Key '${arnOf(unknownId)}' does not exist`],
    [arnOf(unknownId), `Key '${arnOf(unknownId)}' does not exist`],
    [unknownId.replaceAll("-", ""), `Invalid keyId '${unknownId.replaceAll("-", "")}'`],
    ["nonsense", "Invalid keyId 'nonsense'"],
    [`arn:aws:kms:eu-west-1:${accountA}:key/${keyId}`, "Invalid arn eu-west-1"],
    ["alias/none", `Alias ${aliasArnOf("alias/none")} is not found.`],
    ["alias/ONE", `Alias ${aliasArnOf("alias/ONE")} is not found.`],
  ];
  for (const [KeyId, text] of cases) {
    await refused(bed.kms("DescribeKey", { KeyId }), "NotFoundException", text);
    const dataKey = bed.kms("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
    await refused(dataKey, "NotFoundException", text);
  }
  for (const KeyId of ["alias/one", aliasArnOf("alias/one")]) {
    const text = `Invalid keyId '${KeyId}'`;
    await refused(bed.kms("DisableKey", { KeyId }), "NotFoundException", text);
  }
});

test("another account's key: denied alike whether it is there or not", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  const reason =
    "because the resource does not exist in this Region, no resource-based policies allow " +
    "access, or a resource-based policy explicitly denies access";
  const root = bed.root(accountB);
  for (const id of [keyId, unknownId]) {
    for (const operation of ["DescribeKey", "DisableKey"]) {
      await refused(
        bed.kms(operation, { KeyId: arnOf(id) }, root),
        "AccessDeniedException",
        `User: arn:aws:iam::${accountB}:root is not authorized to perform: kms:${operation} ` +
          `on resource: ${arnOf(id)} ${reason}`,
      );
    }
  }
  // Without the ARN the name means a key of the caller's own account.
  const own = bed.kms("DescribeKey", { KeyId: keyId }, root);
  await refused(own, "NotFoundException", `Key '${arnOf(keyId, accountB)}' does not exist`);
});

test("rotation: off, on with its period, changed, off", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const status = () => bed.kms("GetKeyRotationStatus", { KeyId });
  deepEqual(await status(), { KeyId, KeyRotationEnabled: false });
  await bed.kms("EnableKeyRotation", { KeyId });
  const on = (days: number) => ({
    KeyId,
    KeyRotationEnabled: true,
    RotationPeriodInDays: days,
    NextRotationDate: startMs + days * 86_400_000,
  });
  deepEqual(await status(), on(365));
  await bed.kms("EnableKeyRotation", { KeyId, RotationPeriodInDays: 100 });
  deepEqual(await status(), on(100));
  await bed.kms("DisableKeyRotation", { KeyId });
  deepEqual(await status(), { KeyId, KeyRotationEnabled: false });
});

test("the pending window is 7 to 30 days, 30 where absent", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const schedule = (PendingWindowInDays?: number) =>
    bed.kms("ScheduleKeyDeletion", { KeyId, PendingWindowInDays });
  const fault = (days: number, rule: string) =>
    `1 validation error detected: Value '${days}' at 'pendingWindowInDays' failed to satisfy ` +
    `constraint: Member must have value ${rule}`;
  await refused(schedule(6), "ValidationException", fault(6, "greater than or equal to 7"));
  await refused(schedule(31), "ValidationException", fault(31, "less than or equal to 30"));
  equal((await schedule()).DeletionDate, startMs + 30 * 86_400_000);
});

test("keys of another region are another world", async () => {
  const bed = await createBed();
  const keyId = await newKey(bed);
  notEqual(keyId, await newKey(bed));
  const text = `Invalid arn us-west-2`;
  const KeyId = `arn:aws:kms:us-west-2:${accountA}:key/${keyId}`;
  await refused(
    bed.kms("Encrypt", { KeyId, Plaintext: Buffer.from("x") }),
    "NotFoundException",
    text,
  );
});

async function newKey(bed: Bed): Promise<string> {
  return String(((await bed.kms("CreateKey", {})).KeyMetadata as Answer).KeyId);
}
