import { deepEqual, equal, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { type Answer, accountA, type Bed, createBed, refused, region, startMs } from "./kms-bed.ts";

// Goal: what the clock owes to keys happens when it is due, once, completely, and not before.
// Method: a clock that the test moves, the due work of the main program run by hand, and twins
// that run it one millisecond early or after the reason is gone.

const dayMs = 86_400_000;

test("a key is destroyed at its date and not a millisecond earlier", async () => {
  const bed = await createBed();
  const { keyId, arn, materialId } = await newKey(bed);
  await bed.kms("CreateAlias", { AliasName: "alias/gone", TargetKeyId: keyId });
  const sealed = await bed.kms("Encrypt", { KeyId: keyId, Plaintext: Buffer.from("x") });
  const scheduled = await bed.kms("ScheduleKeyDeletion", {
    KeyId: keyId,
    PendingWindowInDays: 7,
  });
  const dueMs = startMs + 7 * dayMs;
  deepEqual(scheduled, {
    KeyId: arn,
    DeletionDate: dueMs,
    KeyState: "PendingDeletion",
    PendingWindowInDays: 7,
  });
  deepEqual(bed.wakes, [dueMs]);
  equal(await bed.runDue(dueMs - 1), dueMs);
  await bed.kms("DescribeKey", { KeyId: keyId });

  equal(await bed.runDue(dueMs), undefined);
  const missing = `Key '${arn}' does not exist`;
  await refused(bed.kms("DescribeKey", { KeyId: keyId }), "NotFoundException", missing);
  const alias = bed.kms("DescribeKey", { KeyId: "alias/gone" });
  const aliasArn = `arn:aws:kms:${region}:${accountA}:alias/gone`;
  await refused(alias, "NotFoundException", `Alias ${aliasArn} is not found.`);
  await refused(
    bed.kms("Decrypt", { CiphertextBlob: sealed.CiphertextBlob }),
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this " +
      "region, or you are not allowed to access.",
  );
  deepEqual(bed.forgotten, [materialId]);
  deepEqual(bed.destroyed, [arn]);
  deepEqual(bed.events, [
    {
      eventSource: "kms.amazonaws.com",
      eventName: "DeleteKey",
      accountId: accountA,
      region,
      resources: [{ accountId: accountA, type: "AWS::KMS::Key", arn }],
      serviceEventDetails: { keyId },
    },
  ]);
});

test("a cancelled deletion never comes", async () => {
  const bed = await createBed();
  const { keyId: KeyId } = await newKey(bed);
  await bed.kms("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  await bed.kms("CancelKeyDeletion", { KeyId });
  equal(await bed.runDue(startMs + 400 * dayMs), undefined);
  await bed.kms("EnableKey", { KeyId });
  await bed.kms("Encrypt", { KeyId, Plaintext: Buffer.from("x") });
  deepEqual(bed.events, []);
});

test("a due rotation adds material; what the old one sealed still opens", async () => {
  const bed = await createBed();
  const { keyId: KeyId, materialId } = await newKey(bed);
  await bed.kms("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
  const sealed = await bed.kms("Encrypt", { KeyId, Plaintext: Buffer.from("old") });
  equal(await bed.runDue(startMs + 90 * dayMs), startMs + 180 * dayMs);
  const metadata = (await bed.kms("DescribeKey", { KeyId })).KeyMetadata as Answer;
  notEqual(metadata.CurrentKeyMaterialId, materialId);
  const opened = await bed.kms("Decrypt", { CiphertextBlob: sealed.CiphertextBlob });
  equal(String(opened.Plaintext), "old");
  equal(opened.KeyMaterialId, materialId);
  const fresh = await bed.kms("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  equal(fresh.KeyMaterialId, metadata.CurrentKeyMaterialId);
  deepEqual(
    bed.events.map((event) => [event.eventName, event.serviceEventDetails]),
    [
      [
        "RotateKey",
        {
          keyId: KeyId,
          rotationType: "AUTOMATIC",
          previousKeyMaterialId: materialId,
          currentKeyMaterialId: metadata.CurrentKeyMaterialId,
        },
      ],
    ],
  );
});

test("a disabled key does not rotate; enabled again it catches up once", async () => {
  const bed = await createBed();
  const { keyId: KeyId } = await newKey(bed);
  await bed.kms("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
  await bed.kms("DisableKey", { KeyId });
  const late = startMs + 300 * dayMs;
  equal(await bed.runDue(late), undefined);
  deepEqual(bed.events, []);
  await bed.kms("EnableKey", { KeyId });
  equal(bed.wakes.at(-1), startMs + 90 * dayMs);
  equal(await bed.runDue(late), late + 90 * dayMs);
  equal(bed.events.length, 1);
});

test("switching rotation off takes it from the clock", async () => {
  const bed = await createBed();
  const { keyId: KeyId } = await newKey(bed);
  await bed.kms("EnableKeyRotation", { KeyId });
  deepEqual(bed.wakes, [startMs + 365 * dayMs]);
  await bed.kms("DisableKeyRotation", { KeyId });
  equal(await bed.runDue(startMs + 4000 * dayMs), undefined);
  deepEqual(bed.events, []);
});

async function newKey(bed: Bed): Promise<{ keyId: string; arn: string; materialId: string }> {
  const metadata = (await bed.kms("CreateKey", {})).KeyMetadata as Answer;
  return {
    keyId: String(metadata.KeyId),
    arn: String(metadata.Arn),
    materialId: String(metadata.CurrentKeyMaterialId),
  };
}
