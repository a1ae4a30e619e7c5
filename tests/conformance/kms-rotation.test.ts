import { deepEqual, equal, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { type Answer, accountA, type Bed, createBed, refused, region, startMs } from "./kms-bed.ts";

// Goal: keys rotate by the service clock, and whatever was sealed opens for as long as the key
// lives. Method: a clock that the test moves over ten years; one ciphertext per version.

const dayMs = 86_400_000;
const text = Buffer.from("x");

async function newKey(bed: Bed, input: object = {}): Promise<string> {
  const created = await bed.kms("CreateKey", input);
  return String((created.KeyMetadata as Answer).KeyId);
}

const arnOf = (keyId: string) => `arn:aws:kms:${region}:${accountA}:key/${keyId}`;

async function materialOf(bed: Bed, KeyId: string): Promise<string> {
  const { KeyMetadata } = await bed.kms("DescribeKey", { KeyId });
  return String((KeyMetadata as Answer).CurrentKeyMaterialId);
}

for (const days of [90, 365, 2560]) {
  test(`ten years of rotation every ${days} days: every version opens`, async () => {
    const bed = await createBed();
    const KeyId = await newKey(bed);
    await bed.kms("EnableKeyRotation", { KeyId, RotationPeriodInDays: days });
    const sealed: { blob: unknown; materialId: string }[] = [];
    const end = startMs + 10 * 365 * dayMs;
    for (let atMs = startMs; atMs < end; atMs += 45 * dayMs) {
      await bed.runDue(atMs);
      const { CiphertextBlob: blob } = await bed.kms("Encrypt", { KeyId, Plaintext: text });
      sealed.push({ blob, materialId: await materialOf(bed, KeyId) });
    }
    const expected = Math.floor(((sealed.length - 1) * 45) / days);
    const { Rotations } = await bed.kms("ListKeyRotations", { KeyId, Limit: 1000 });
    equal((Rotations as Answer[]).length, expected);
    equal(new Set(sealed.map(({ materialId }) => materialId)).size, expected + 1);
    for (const { blob, materialId } of sealed) {
      const opened = await bed.kms("Decrypt", { CiphertextBlob: blob });
      deepEqual([String(opened.Plaintext), opened.KeyMaterialId], ["x", materialId]);
    }
    const dates = (Rotations as { RotationDate: number }[]).map(({ RotationDate }) => RotationDate);
    for (const [index, date] of dates.entries()) {
      // Due work runs when the test looks: within one step after the date.
      const planned = startMs + (index + 1) * days * dayMs;
      equal(date >= planned && date < planned + 45 * dayMs, true);
    }
  });
}

test("AWS managed keys rotate every year", async () => {
  const bed = await createBed();
  const { KeyMetadata } = await bed.kms("DescribeKey", { KeyId: "alias/aws/sqs" });
  const KeyId = String((KeyMetadata as Answer).KeyId);
  const before = await materialOf(bed, KeyId);
  await bed.runDue(startMs + 364 * dayMs);
  equal(await materialOf(bed, KeyId), before);
  await bed.runDue(startMs + 365 * dayMs);
  notEqual(await materialOf(bed, KeyId), before);
});

test("rotation on demand: at once, beside the schedule, with a limit", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  await bed.kms("EnableKeyRotation", { KeyId });
  const before = await bed.kms("GetKeyRotationStatus", { KeyId });
  const first = await materialOf(bed, KeyId);
  const { CiphertextBlob } = await bed.kms("Encrypt", { KeyId, Plaintext: text });
  deepEqual(await bed.kms("RotateKeyOnDemand", { KeyId }), { KeyId: arnOf(KeyId) });
  notEqual(await materialOf(bed, KeyId), first);
  deepEqual(await bed.kms("GetKeyRotationStatus", { KeyId }), before);
  equal(String((await bed.kms("Decrypt", { CiphertextBlob })).Plaintext), "x");
  for (let count = 1; count < 25; count += 1) await bed.kms("RotateKeyOnDemand", { KeyId });
  await refused(
    bed.kms("RotateKeyOnDemand", { KeyId }),
    "LimitExceededException",
    "The on-demand rotations limit has been reached for the given keyId. No more on-demand " +
      `rotations can be performed for this key: ${arnOf(KeyId)}`,
  );
  // An automatic one still comes.
  await bed.runDue(startMs + 365 * dayMs);
  const { Rotations } = await bed.kms("ListKeyRotations", { KeyId });
  const types = (Rotations as Answer[]).map(({ RotationType }) => RotationType);
  deepEqual(types, [...Array(25).fill("ON_DEMAND"), "AUTOMATIC"]);
});

test("rotation on demand just before an automatic one is a conflict", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  await bed.kms("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
  bed.clock.nowMs = startMs + 90 * dayMs - 20 * 60_000 - 1;
  await bed.kms("RotateKeyOnDemand", { KeyId });
  bed.clock.nowMs += 1;
  await refused(bed.kms("RotateKeyOnDemand", { KeyId }), "ConflictException", /is due/);
});

test("keys that do not rotate say so", async () => {
  const bed = await createBed();
  const mac = await newKey(bed, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
  const external = await newKey(bed, { Origin: "EXTERNAL" });
  const unsupported = "UnsupportedOperationException";
  await refused(bed.kms("RotateKeyOnDemand", { KeyId: mac }), unsupported, "");
  for (const operation of ["EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus"]) {
    await refused(bed.kms(operation, { KeyId: mac }), unsupported, /not valid for this operation/);
    const text = `${arnOf(external)} origin is EXTERNAL which is not valid for this operation.`;
    await refused(bed.kms(operation, { KeyId: external }), unsupported, text);
  }
});

test("ListKeyRotations: all material or rotations only, by pages", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const first = await materialOf(bed, KeyId);
  for (let count = 0; count < 4; count += 1) await bed.kms("RotateKeyOnDemand", { KeyId });
  const all = await bed.kms("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" });
  const entries = all.Rotations as Answer[];
  deepEqual(entries[0], { KeyId, KeyMaterialId: first, KeyMaterialState: "NON_CURRENT" });
  deepEqual(
    entries.map(({ KeyMaterialState }) => KeyMaterialState),
    [...Array(4).fill("NON_CURRENT"), "CURRENT"],
  );
  const page = await bed.kms("ListKeyRotations", { KeyId, Limit: 3 });
  equal(page.Truncated, true);
  const rest = await bed.kms("ListKeyRotations", { KeyId, Limit: 3, Marker: page.NextMarker });
  deepEqual([...(page.Rotations as Answer[]), ...(rest.Rotations as Answer[])], entries.slice(1));
  equal(rest.Truncated, false);
});
