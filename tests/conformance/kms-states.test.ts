import { deepEqual, equal } from "node:assert/strict";
import { createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { refusal, startTestServer } from "../harness/server.ts";

// Goal: every operation answers in every state of a key as AWS's table of key states says. Method:
// the SDK against a whole server; one fresh key per cell is brought into the state, then the
// operation runs. The table is the one of the guide, typed in again, not derived from the code. Its
// column Unavailable belongs to custom key stores, which are not offered.

const server = await startTestServer();
after(() => server.stop());
const home = server.rootClients.kms;
const abroad = server.clients(server.root, { region: "eu-west-1" }).kms;
const material = randomBytes(32);
const text = Buffer.from("x");

const states = [
  "Enabled",
  "Disabled",
  "PendingDeletion",
  "PendingReplicaDeletion",
  "PendingImport",
  "Creating",
  "Updating",
] as const;
type State = (typeof states)[number];

/** The guide's footnotes. */
type Rule = "ok" | 1 | 3 | 4 | 5 | 6 | 7 | "7-silent" | 9 | 14 | 15;

/** Enabled, Disabled, PendingDeletion and PendingReplicaDeletion, PendingImport, Creating, Updating. */
type Row = readonly [Rule, Rule, Rule, Rule, Rule, Rule];

interface Cell {
  readonly kms: KMS;
  readonly keyId: string;
  readonly arn: string;
  /** Another key of the same kind and region, in state Enabled. */
  readonly other: string;
  readonly blob: Uint8Array | undefined;
  readonly grantId: string | undefined;
  readonly alias: string;
}

const use: Row = ["ok", 1, 3, 5, 14, "ok"];
const always: Row = ["ok", "ok", "ok", "ok", "ok", "ok"];
const change: Row = ["ok", "ok", 3, "ok", "ok", "ok"];
const toggle: Row = ["ok", "ok", 3, 5, 14, 15];
const notExternal: Row = [9, 9, 9, "ok", 9, 9];
const byKey = ({ keyId: KeyId }: Cell) => ({ KeyId });
const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      ...{ Effect: "Allow", Action: "kms:*", Resource: "*" },
      Principal: { AWS: `arn:aws:iam::${server.accountId}:root` },
    },
  ],
});
const grantee = `arn:aws:iam::${server.accountId}:root`;

interface Operation {
  readonly row: Row;
  /** Cells that cannot be: a key whose material was never there has sealed nothing. */
  readonly without?: readonly State[];
  run(cell: Cell): Promise<unknown>;
}

const operations: Readonly<Record<string, Operation>> = {
  Encrypt: { row: use, run: (c) => c.kms.encrypt({ ...byKey(c), Plaintext: text }) },
  Decrypt: {
    row: use,
    without: ["PendingImport"],
    run: (c) => c.kms.decrypt({ ...byKey(c), CiphertextBlob: c.blob }),
  },
  "ReEncrypt from": {
    row: use,
    without: ["PendingImport"],
    run: (c) =>
      c.kms.reEncrypt({
        CiphertextBlob: c.blob,
        SourceKeyId: c.keyId,
        DestinationKeyId: c.other,
      }),
  },
  GenerateDataKey: {
    row: use,
    run: (c) => c.kms.generateDataKey({ ...byKey(c), KeySpec: "AES_256" }),
  },
  GenerateDataKeyWithoutPlaintext: {
    row: use,
    run: (c) => c.kms.generateDataKeyWithoutPlaintext({ ...byKey(c), NumberOfBytes: 24 }),
  },
  GenerateDataKeyPair: {
    row: use,
    run: (c) => c.kms.generateDataKeyPair({ ...byKey(c), KeyPairSpec: "ECC_NIST_P256" }),
  },
  GenerateDataKeyPairWithoutPlaintext: {
    row: use,
    run: (c) =>
      c.kms.generateDataKeyPairWithoutPlaintext({ ...byKey(c), KeyPairSpec: "ECC_NIST_P256" }),
  },
  CreateGrant: {
    row: use,
    run: (c) =>
      c.kms.createGrant({ ...byKey(c), GranteePrincipal: grantee, Operations: ["Decrypt"] }),
  },
  CreateAlias: {
    row: change,
    run: (c) => c.kms.createAlias({ AliasName: `${c.alias}-new`, TargetKeyId: c.keyId }),
  },
  "UpdateAlias to": {
    row: change,
    run: async (c) => {
      const AliasName = `${c.alias}-other`;
      await c.kms.createAlias({ AliasName, TargetKeyId: c.other });
      return c.kms.updateAlias({ AliasName, TargetKeyId: c.keyId });
    },
  },
  "UpdateAlias from": {
    row: always,
    run: (c) => c.kms.updateAlias({ AliasName: c.alias, TargetKeyId: c.other }),
  },
  DeleteAlias: { row: always, run: (c) => c.kms.deleteAlias({ AliasName: c.alias }) },
  DescribeKey: { row: always, run: (c) => c.kms.describeKey(byKey(c)) },
  GetKeyPolicy: { row: always, run: (c) => c.kms.getKeyPolicy(byKey(c)) },
  PutKeyPolicy: { row: always, run: (c) => c.kms.putKeyPolicy({ ...byKey(c), Policy: policy }) },
  ListAliases: { row: always, run: (c) => c.kms.listAliases(byKey(c)) },
  ListGrants: { row: always, run: (c) => c.kms.listGrants(byKey(c)) },
  ListKeyPolicies: { row: always, run: (c) => c.kms.listKeyPolicies(byKey(c)) },
  ListKeyRotations: { row: always, run: (c) => c.kms.listKeyRotations(byKey(c)) },
  ListResourceTags: { row: always, run: (c) => c.kms.listResourceTags(byKey(c)) },
  GetKeyLastUsage: { row: always, run: (c) => c.kms.getKeyLastUsage(byKey(c)) },
  RetireGrant: {
    row: always,
    without: ["PendingImport", "Creating"],
    run: (c) => c.kms.retireGrant({ KeyId: c.arn, GrantId: c.grantId }),
  },
  RevokeGrant: {
    row: always,
    without: ["PendingImport", "Creating"],
    run: (c) => c.kms.revokeGrant({ ...byKey(c), GrantId: c.grantId }),
  },
  EnableKey: { row: toggle, run: (c) => c.kms.enableKey(byKey(c)) },
  DisableKey: { row: toggle, run: (c) => c.kms.disableKey(byKey(c)) },
  EnableKeyRotation: {
    row: ["ok", 1, 3, 6, 7, "ok"],
    run: (c) => c.kms.enableKeyRotation(byKey(c)),
  },
  DisableKeyRotation: {
    row: ["ok", 1, 3, 6, 7, "ok"],
    run: (c) => c.kms.disableKeyRotation(byKey(c)),
  },
  GetKeyRotationStatus: {
    row: ["ok", "ok", "ok", 6, "ok", "ok"],
    run: (c) => c.kms.getKeyRotationStatus(byKey(c)),
  },
  RotateKeyOnDemand: {
    row: ["ok", 1, 3, 5, 7, 15],
    run: (c) => c.kms.rotateKeyOnDemand(byKey(c)),
  },
  ScheduleKeyDeletion: {
    row: ["ok", "ok", 3, "ok", "ok", 15],
    run: (c) => c.kms.scheduleKeyDeletion({ ...byKey(c), PendingWindowInDays: 7 }),
  },
  CancelKeyDeletion: { row: [4, 4, "ok", 4, 4, 4], run: (c) => c.kms.cancelKeyDeletion(byKey(c)) },
  TagResource: {
    row: change,
    run: (c) => c.kms.tagResource({ ...byKey(c), Tags: [{ TagKey: "a", TagValue: "b" }] }),
  },
  UntagResource: {
    row: change,
    run: (c) => c.kms.untagResource({ ...byKey(c), TagKeys: ["a"] }),
  },
  UpdateKeyDescription: {
    row: change,
    run: (c) => c.kms.updateKeyDescription({ ...byKey(c), Description: "d" }),
  },
  GetParametersForImport: { row: notExternal, run: (c) => parameters(c.kms, c.keyId) },
  ImportKeyMaterial: { row: notExternal, run: (c) => importInto(c.kms, c.keyId) },
  DeleteImportedKeyMaterial: {
    row: notExternal,
    run: (c) => c.kms.deleteImportedKeyMaterial(byKey(c)),
  },
  ReplicateKey: {
    // A replica that is creating is no primary; see the tests of multi-Region keys.
    row: ["ok", 1, 3, 5, 7, 15],
    run: (c) => c.kms.replicateKey({ ...byKey(c), ReplicaRegion: "sa-east-1" }),
  },
  UpdatePrimaryRegion: {
    row: ["ok", 1, 3, 5, 7, "ok"],
    run: (c) => c.kms.updatePrimaryRegion({ ...byKey(c), PrimaryRegion: homeOf(c) }),
  },
};

function homeOf({ arn }: Cell): string {
  return arn.split(":")[3] ?? "";
}

const column: Readonly<Record<State, number>> = {
  Enabled: 0,
  Disabled: 1,
  PendingDeletion: 2,
  PendingReplicaDeletion: 2,
  PendingImport: 3,
  Creating: 4,
  Updating: 5,
};

for (const [name, { row, without = [], run }] of Object.entries(operations)) {
  test(`${name} in each state`, async () => {
    for (const state of states) {
      if (!without.includes(state)) await checkCell(name, state, row[column[state]] ?? "ok", run);
    }
  });
}

const attemptsMax = 20;

/**
 * States of passage last a second: a cell that was too slow for it is done again. What the
 * operation did in the state after it (a key that is disabled) tells nothing.
 */
async function checkCell(
  name: string,
  state: State,
  rule: Rule,
  run: Operation["run"],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const cell = await cellIn(state);
    const refused = await refusal(run(cell));
    if (state === "Creating" || state === "Updating") {
      const now = (await cell.kms.describeKey({ KeyId: cell.keyId })).KeyMetadata?.KeyState;
      const passed = now !== state && rule !== "ok";
      if (passed && attempt < attemptsMax) continue;
    }
    const got = refused && [refused.name, refused.message];
    deepEqual(got, expected(rule, cell), `${name} in ${state}`);
    return;
  }
}

function expected(rule: Rule, { arn }: Cell): readonly string[] | undefined {
  const invalid = "KMSInvalidStateException";
  const unsupported = "UnsupportedOperationException";
  switch (rule) {
    case "ok":
      return undefined;
    case 1:
      return ["DisabledException", `${arn} is disabled.`];
    case 3:
      return [invalid, `${arn} is pending deletion.`];
    case 4:
      return [invalid, `${arn} is not pending deletion.`];
    case 5:
      return [invalid, `${arn} is pending import.`];
    case 6:
      return [unsupported, `${arn} origin is EXTERNAL which is not valid for this operation.`];
    case 7:
      return [unsupported, `${arn} is not a multi-region primary key.`];
    case "7-silent":
      return [unsupported, ""];
    case 9:
      return [unsupported, `${arn} origin is AWS_KMS which is not valid for this operation.`];
    case 14:
      return [invalid, `${arn} is creating.`];
    case 15:
      return [invalid, `${arn} is updating.`];
  }
}

let cells = 0;

async function cellIn(state: State): Promise<Cell> {
  const external = state === "PendingImport";
  const input = { MultiRegion: true, ...(external && { Origin: "EXTERNAL" as const }) };
  const { KeyMetadata } = await home.createKey(input);
  const keyId = KeyMetadata?.KeyId ?? "";
  const KeyId = keyId;
  const sealed = external ? undefined : await home.encrypt({ KeyId, Plaintext: text });
  const kms = state === "Creating" ? abroad : home;
  const { KeyMetadata: second } = await kms.createKey({});
  const grant = external
    ? undefined
    : await home.createGrant({ KeyId, GranteePrincipal: grantee, Operations: ["Decrypt"] });
  cells += 1;
  const alias = `alias/cell-${cells}`;
  const region = state === "Creating" ? "eu-west-1" : "us-east-1";
  if (state !== "Creating") await home.createAlias({ AliasName: alias, TargetKeyId: keyId });
  await bring(keyId, state);
  if (state === "Creating") await abroad.createAlias({ AliasName: alias, TargetKeyId: keyId });
  const found = (await kms.describeKey({ KeyId })).KeyMetadata?.KeyState;
  if (state !== "Creating" && state !== "Updating") equal(found, state);
  return {
    kms,
    keyId,
    arn: `arn:aws:kms:${region}:${server.accountId}:key/${keyId}`,
    other: second?.KeyId ?? "",
    blob: sealed?.CiphertextBlob,
    grantId: grant?.GrantId,
    alias,
  };
}

async function bring(KeyId: string, state: State): Promise<void> {
  const replicate = () => home.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
  switch (state) {
    case "Disabled":
      await home.disableKey({ KeyId });
      return;
    case "PendingDeletion":
      await home.scheduleKeyDeletion({ KeyId });
      return;
    case "PendingReplicaDeletion":
      await replicate();
      await home.scheduleKeyDeletion({ KeyId });
      return;
    case "Creating":
      await replicate();
      return;
    case "Updating":
      await replicate();
      await server.advance(2);
      // There and back: the key at home is the primary again, and updating.
      await home.updatePrimaryRegion({ KeyId, PrimaryRegion: "eu-west-1" });
      await abroad.updatePrimaryRegion({ KeyId, PrimaryRegion: "us-east-1" });
      return;
    default:
  }
}

async function parameters(kms: KMS, KeyId: string) {
  return kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
}

async function importInto(kms: KMS, KeyId: string): Promise<unknown> {
  const spare = await home.createKey({ Origin: "EXTERNAL" });
  const ofSpare = spare.KeyMetadata?.KeyId ?? "";
  // Where the key gives no parameters, those of another one bring the request as far as the state.
  const got =
    (await parameters(kms, KeyId).catch(() => undefined)) ?? (await parameters(home, ofSpare));
  const key = createPublicKey({
    key: Buffer.from(got.PublicKey ?? []),
    format: "der",
    type: "spki",
  });
  return kms.importKeyMaterial({
    KeyId,
    ImportToken: got.ImportToken,
    EncryptedKeyMaterial: publicEncrypt({ key, oaepHash: "sha256" }, material),
    ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
  });
}

// The same rows for the kinds of keys that have other operations.
for (const [spec, usage, run] of [
  [
    "ECC_NIST_P256",
    "SIGN_VERIFY",
    (KeyId: string) => home.sign({ KeyId, Message: text, SigningAlgorithm: "ECDSA_SHA_256" }),
  ],
  [
    "ECC_NIST_P256",
    "SIGN_VERIFY",
    (KeyId: string) =>
      home.verify({ KeyId, Message: text, SigningAlgorithm: "ECDSA_SHA_256", Signature: text }),
  ],
  ["ECC_NIST_P256", "SIGN_VERIFY", (KeyId: string) => home.getPublicKey({ KeyId })],
  [
    "HMAC_256",
    "GENERATE_VERIFY_MAC",
    (KeyId: string) => home.generateMac({ KeyId, Message: text, MacAlgorithm: "HMAC_SHA_256" }),
  ],
  [
    "HMAC_256",
    "GENERATE_VERIFY_MAC",
    (KeyId: string) =>
      home.verifyMac({ KeyId, Message: text, MacAlgorithm: "HMAC_SHA_256", Mac: text }),
  ],
  [
    "ECC_NIST_P256",
    "KEY_AGREEMENT",
    (KeyId: string) =>
      home.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: text }),
  ],
] as const) {
  test(`${spec} for ${usage} in each state: ${run.toString().match(/home\.(\w+)/)?.[1]}`, async () => {
    for (const [bringTo, rule] of [
      ["Disabled", 1],
      ["PendingDeletion", 3],
      ["PendingImport", 5],
    ] as const) {
      const origin = bringTo === "PendingImport" ? ({ Origin: "EXTERNAL" } as const) : {};
      const made = await home.createKey({ KeySpec: spec, KeyUsage: usage, ...origin });
      const { KeyId = "", Arn: arn = "" } = made.KeyMetadata ?? {};
      if (bringTo !== "PendingImport") await bring(KeyId, bringTo);
      const refused = await refusal(run(KeyId));
      const cell = { arn } as Cell;
      deepEqual(refused && [refused.name, refused.message], expected(rule, cell));
    }
  });
}

test("a cancelled deletion leaves the key disabled, with its rotation as it was", async () => {
  const { KeyMetadata } = await home.createKey({});
  const { KeyId = "", Arn } = KeyMetadata ?? {};
  await home.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
  await home.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  equal((await home.getKeyRotationStatus({ KeyId })).KeyRotationEnabled, false);
  equal((await home.cancelKeyDeletion({ KeyId })).KeyId, Arn);
  const described = (await home.describeKey({ KeyId })).KeyMetadata;
  deepEqual(
    [described?.KeyState, described?.Enabled, described?.DeletionDate],
    ["Disabled", false, undefined],
  );
  const status = await home.getKeyRotationStatus({ KeyId });
  deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 90]);
});
