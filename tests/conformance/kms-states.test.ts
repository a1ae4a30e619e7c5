import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { type Answer, accountA, type Bed, createBed, refused, region } from "./kms-bed.ts";

// Goal: every operation answers in every state of a key as the state table of AWS says.
// Method: one fresh key per cell is brought into the state, then the operation runs; the table
// below is the one of the guide, typed in again, not derived from the code.

type Rule = "ok" | "disabled" | "pending" | "not-pending";

interface Row {
  readonly operation: string;
  readonly states: Readonly<Record<"Enabled" | "Disabled" | "PendingDeletion", Rule>>;
  input(cell: Cell): object;
}

interface Cell {
  readonly keyId: string;
  readonly blob: unknown;
  readonly other: string;
}

const use = { Enabled: "ok", Disabled: "disabled", PendingDeletion: "pending" } as const;
const change = { Enabled: "ok", Disabled: "ok", PendingDeletion: "pending" } as const;
const always = { Enabled: "ok", Disabled: "ok", PendingDeletion: "ok" } as const;
const byKey = ({ keyId: KeyId }: Cell) => ({ KeyId });

const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${accountA}:root` },
      Action: "kms:*",
      Resource: "*",
    },
  ],
});

const rows: readonly Row[] = [
  {
    operation: "Encrypt",
    states: use,
    input: (cell) => ({ KeyId: cell.keyId, Plaintext: Buffer.from("x") }),
  },
  { operation: "Decrypt", states: use, input: (cell) => ({ CiphertextBlob: cell.blob }) },
  {
    operation: "ReEncrypt",
    states: use,
    input: (cell) => ({ CiphertextBlob: cell.blob, DestinationKeyId: cell.other }),
  },
  {
    operation: "GenerateDataKey",
    states: use,
    input: (cell) => ({ KeyId: cell.keyId, KeySpec: "AES_256" }),
  },
  {
    operation: "GenerateDataKeyWithoutPlaintext",
    states: use,
    input: (cell) => ({ KeyId: cell.keyId, NumberOfBytes: 24 }),
  },
  { operation: "EnableKeyRotation", states: use, input: byKey },
  { operation: "DisableKeyRotation", states: use, input: byKey },
  { operation: "GetKeyRotationStatus", states: always, input: byKey },
  { operation: "DescribeKey", states: always, input: byKey },
  { operation: "GetKeyPolicy", states: always, input: byKey },
  {
    operation: "PutKeyPolicy",
    states: always,
    input: (cell) => ({ KeyId: cell.keyId, Policy: policy }),
  },
  { operation: "ListKeyPolicies", states: always, input: byKey },
  { operation: "ListResourceTags", states: always, input: byKey },
  { operation: "ListAliases", states: always, input: byKey },
  { operation: "DeleteAlias", states: always, input: () => ({ AliasName: "alias/present" }) },
  {
    operation: "CreateAlias",
    states: change,
    input: (cell) => ({ AliasName: "alias/new", TargetKeyId: cell.keyId }),
  },
  { operation: "EnableKey", states: change, input: byKey },
  { operation: "DisableKey", states: change, input: byKey },
  { operation: "ScheduleKeyDeletion", states: change, input: byKey },
  {
    operation: "CancelKeyDeletion",
    states: { Enabled: "not-pending", Disabled: "not-pending", PendingDeletion: "ok" },
    input: byKey,
  },
  {
    operation: "TagResource",
    states: change,
    input: (cell) => ({ KeyId: cell.keyId, Tags: [{ TagKey: "a", TagValue: "b" }] }),
  },
  {
    operation: "UntagResource",
    states: change,
    input: (cell) => ({ KeyId: cell.keyId, TagKeys: ["a"] }),
  },
  {
    operation: "UpdateKeyDescription",
    states: change,
    input: (cell) => ({ KeyId: cell.keyId, Description: "d" }),
  },
];

for (const row of rows) {
  test(`${row.operation} in each state`, async () => {
    for (const state of ["Enabled", "Disabled", "PendingDeletion"] as const) {
      const bed = await createBed();
      const cell = await cellIn(bed, state);
      const act = bed.kms(row.operation, row.input(cell));
      const arn = `arn:aws:kms:${region}:${accountA}:key/${cell.keyId}`;
      const rule = row.states[state];
      if (rule === "ok") await act;
      if (rule === "disabled") await refused(act, "DisabledException", `${arn} is disabled.`);
      const invalid = "KMSInvalidStateException";
      if (rule === "pending") await refused(act, invalid, `${arn} is pending deletion.`);
      if (rule === "not-pending") await refused(act, invalid, `${arn} is not pending deletion.`);
    }
  });
}

test("an alias can leave a key that is pending deletion, and cannot go to one", async () => {
  const bed = await createBed();
  const { keyId, other } = await cellIn(bed, "PendingDeletion");
  await bed.kms("UpdateAlias", { AliasName: "alias/present", TargetKeyId: other });
  const act = bed.kms("UpdateAlias", { AliasName: "alias/present", TargetKeyId: keyId });
  await refused(act, "KMSInvalidStateException", /is pending deletion\.$/);
});

test("a cancelled deletion leaves the key disabled, with its rotation as it was", async () => {
  const bed = await createBed();
  const { keyId: KeyId } = await cellIn(bed, "Enabled");
  await bed.kms("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
  await bed.kms("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  const pending = await bed.kms("GetKeyRotationStatus", { KeyId });
  deepEqual(pending, { KeyId, KeyRotationEnabled: false });
  const cancelled = await bed.kms("CancelKeyDeletion", { KeyId });
  deepEqual(cancelled, { KeyId: `arn:aws:kms:${region}:${accountA}:key/${KeyId}` });
  const described = (await bed.kms("DescribeKey", { KeyId })).KeyMetadata as Answer;
  equal(described.KeyState, "Disabled");
  equal(described.Enabled, false);
  equal("DeletionDate" in described, false);
  const status = await bed.kms("GetKeyRotationStatus", { KeyId });
  equal(status.KeyRotationEnabled, true);
  equal(status.RotationPeriodInDays, 90);
});

async function cellIn(bed: Bed, state: "Enabled" | "Disabled" | "PendingDeletion"): Promise<Cell> {
  const keyId = await newKey(bed);
  const other = await newKey(bed);
  await bed.kms("CreateAlias", { AliasName: "alias/present", TargetKeyId: keyId });
  const sealed = await bed.kms("Encrypt", { KeyId: keyId, Plaintext: Buffer.from("x") });
  if (state === "Disabled") await bed.kms("DisableKey", { KeyId: keyId });
  if (state === "PendingDeletion") await bed.kms("ScheduleKeyDeletion", { KeyId: keyId });
  return { keyId, other, blob: sealed.CiphertextBlob };
}

async function newKey(bed: Bed): Promise<string> {
  const created = await bed.kms("CreateKey", {});
  return String((created.KeyMetadata as Answer).KeyId);
}
