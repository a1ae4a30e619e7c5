import { deepEqual, equal, match } from "node:assert/strict";
import { createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import type { KMS } from "@aws-sdk/client-kms";
import { refusal, startTestServer } from "../harness/server.ts";

// Goal: multi-Region keys are one key in several regions: what one seals the others open, rotation
// goes everywhere, the rest is each region's own. Method: the SDK, a client per region.

const server = await startTestServer();
after(() => server.stop());
const regions = ["us-east-1", "eu-west-1", "ap-south-1"] as const;
const [home, abroad, third] = regions.map(
  (region) => server.clients(server.root, { region }).kms,
) as [KMS, KMS, KMS];
const text = Buffer.from("patient record");
const arnIn = (region: string, keyId: string) =>
  `arn:aws:kms:${region}:${server.accountId}:key/${keyId}`;

async function describe(kms: KMS, KeyId: string) {
  return (await kms.describeKey({ KeyId })).KeyMetadata;
}

async function settled(): Promise<void> {
  await server.advance(2);
}

async function replicated(input: object = {}): Promise<string> {
  const { KeyMetadata } = await home.createKey({ MultiRegion: true, ...input });
  const KeyId = KeyMetadata?.KeyId ?? "";
  await home.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
  await settled();
  return KeyId;
}

test("replicate: the same key elsewhere, with settings of its own", async () => {
  const { KeyMetadata } = await home.createKey({ MultiRegion: true, Description: "home" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  match(KeyId, /^mrk-[0-9a-f]{32}$/);
  const Tags = [{ TagKey: "ward", TagValue: "7" }];
  const made = await home.replicateKey({
    KeyId,
    ReplicaRegion: "eu-west-1",
    Description: "away",
    Tags,
  });
  const first = made.ReplicaKeyMetadata;
  deepEqual(
    [first?.KeyState, first?.Enabled, first?.Arn],
    ["Creating", false, arnIn("eu-west-1", KeyId)],
  );
  deepEqual(made.ReplicaTags, Tags);
  match(made.ReplicaPolicy ?? "", /key-default-1/);
  const configuration = (type: string) => ({
    MultiRegionKeyType: type,
    PrimaryKey: { Arn: arnIn("us-east-1", KeyId), Region: "us-east-1" },
    ReplicaKeys: [{ Arn: arnIn("eu-west-1", KeyId), Region: "eu-west-1" }],
  });
  await settled();
  const replica = await describe(abroad, KeyId);
  deepEqual(replica?.MultiRegionConfiguration, configuration("REPLICA"));
  deepEqual([replica?.KeyState, replica?.Description], ["Enabled", "away"]);
  const primary = await describe(home, KeyId);
  deepEqual(primary?.MultiRegionConfiguration, configuration("PRIMARY"));
  equal(replica?.CurrentKeyMaterialId, primary?.CurrentKeyMaterialId);

  const { CiphertextBlob } = await home.encrypt({ KeyId, Plaintext: text });
  const opened = await abroad.decrypt({ CiphertextBlob });
  deepEqual([Buffer.from(opened.Plaintext ?? []), opened.KeyId], [text, arnIn("eu-west-1", KeyId)]);
  // Twin: a region that the key is not in.
  equal((await refusal(third.decrypt({ CiphertextBlob })))?.name, "AccessDeniedException");
  await abroad.disableKey({ KeyId });
  equal((await describe(home, KeyId))?.KeyState, "Enabled");
  const again = await refusal(home.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" }));
  equal(again?.name, "AlreadyExistsException");
});

test("asymmetric and HMAC keys replicate too", async () => {
  const KeyId = await replicated({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  const asked = { KeyId, Message: text, SigningAlgorithm: "ECDSA_SHA_256" } as const;
  const { Signature } = await home.sign(asked);
  equal((await abroad.verify({ ...asked, Signature })).SignatureValid, true);
  deepEqual(
    (await abroad.getPublicKey({ KeyId })).PublicKey,
    (await home.getPublicKey({ KeyId })).PublicKey,
  );
});

test("rotation is the primary's and reaches every region", async () => {
  const KeyId = await replicated();
  const refused = await refusal(abroad.rotateKeyOnDemand({ KeyId }));
  equal(refused?.message, `${arnIn("eu-west-1", KeyId)} is not a multi-region primary key.`);
  equal(
    (await refusal(abroad.enableKeyRotation({ KeyId })))?.name,
    "UnsupportedOperationException",
  );
  await home.rotateKeyOnDemand({ KeyId });
  const { CiphertextBlob } = await home.encrypt({ KeyId, Plaintext: text });
  deepEqual(Buffer.from((await abroad.decrypt({ CiphertextBlob })).Plaintext ?? []), text);
  await home.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
  const status = await abroad.getKeyRotationStatus({ KeyId });
  deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 90]);
  await server.advance(90 * 86_400 + 1);
  const [here, there] = [await describe(home, KeyId), await describe(abroad, KeyId)];
  equal(here?.CurrentKeyMaterialId, there?.CurrentKeyMaterialId);
  equal((await abroad.listKeyRotations({ KeyId })).Rotations?.length, 2);
});

test("only a primary replicates; UpdatePrimaryRegion swaps the parts", async () => {
  const KeyId = await replicated();
  const onReplica = await refusal(abroad.replicateKey({ KeyId, ReplicaRegion: "ap-south-1" }));
  equal(onReplica?.message, `${arnIn("eu-west-1", KeyId)} is not a multi-region primary key.`);
  await home.enableKeyRotation({ KeyId });
  await home.updatePrimaryRegion({ KeyId, PrimaryRegion: "eu-west-1" });
  equal((await describe(home, KeyId))?.KeyState, "Updating");
  await home.encrypt({ KeyId, Plaintext: text });
  await settled();
  const type = async (kms: KMS) =>
    (await describe(kms, KeyId))?.MultiRegionConfiguration?.MultiRegionKeyType;
  deepEqual([await type(home), await type(abroad)], ["REPLICA", "PRIMARY"]);
  await abroad.replicateKey({ KeyId, ReplicaRegion: "ap-south-1" });
  await settled();
  equal(await type(third), "REPLICA");
  equal((await abroad.getKeyRotationStatus({ KeyId })).KeyRotationEnabled, true);
  await abroad.disableKeyRotation({ KeyId });
  const nowhere = await refusal(abroad.updatePrimaryRegion({ KeyId, PrimaryRegion: "sa-east-1" }));
  equal(nowhere?.name, "NotFoundException");
  const single = await home.createKey({});
  const refused = await refusal(
    home.replicateKey({ KeyId: single.KeyMetadata?.KeyId, ReplicaRegion: "eu-west-1" }),
  );
  equal(refused?.name, "UnsupportedOperationException");
});

test("a primary's deletion waits for its last replica", async () => {
  const KeyId = await replicated();
  const scheduled = await home.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  deepEqual(
    [scheduled.KeyState, scheduled.DeletionDate, scheduled.PendingWindowInDays],
    ["PendingReplicaDeletion", undefined, 7],
  );
  equal((await describe(home, KeyId))?.PendingDeletionWindowInDays, 7);
  await server.advance(30 * 86_400);
  equal((await describe(home, KeyId))?.KeyState, "PendingReplicaDeletion");
  await abroad.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  await server.advance(8 * 86_400);
  equal((await refusal(abroad.describeKey({ KeyId })))?.name, "NotFoundException");
  const waiting = await describe(home, KeyId);
  equal(waiting?.KeyState, "PendingDeletion");
  deepEqual(waiting?.MultiRegionConfiguration?.ReplicaKeys, []);
  await server.advance(8 * 86_400);
  equal((await refusal(home.describeKey({ KeyId })))?.name, "NotFoundException");
});

test("imported material: each replica wants the same import, and waits for it", async () => {
  const material = randomBytes(32);
  const { KeyMetadata } = await home.createKey({ MultiRegion: true, Origin: "EXTERNAL" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  await importInto(home, KeyId, material);
  await home.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
  await settled();
  equal((await describe(abroad, KeyId))?.KeyState, "PendingImport");
  const other = await refusal(importInto(abroad, KeyId, randomBytes(32)));
  equal(other?.name, "IncorrectKeyMaterialException");
  await importInto(abroad, KeyId, material);
  const { CiphertextBlob } = await home.encrypt({ KeyId, Plaintext: text });
  deepEqual(Buffer.from((await abroad.decrypt({ CiphertextBlob })).Plaintext ?? []), text);

  const second = randomBytes(32);
  await importInto(home, KeyId, second, { ImportType: "NEW_KEY_MATERIAL" });
  const all = { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" } as const;
  const state = async (kms: KMS) =>
    (await kms.listKeyRotations(all)).Rotations?.at(-1)?.KeyMaterialState;
  equal(await state(home), "PENDING_MULTI_REGION_IMPORT_AND_ROTATION");
  equal((await refusal(home.rotateKeyOnDemand({ KeyId })))?.name, "KMSInvalidStateException");
  equal((await describe(abroad, KeyId))?.KeyState, "Enabled");
  await importInto(abroad, KeyId, second);
  equal(await state(home), "PENDING_ROTATION");
  await home.rotateKeyOnDemand({ KeyId });
  deepEqual([await state(home), await state(abroad)], ["CURRENT", "CURRENT"]);
});

async function importInto(kms: KMS, KeyId: string, material: Buffer, input: object = {}) {
  const { PublicKey, ImportToken } = await kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  const EncryptedKeyMaterial = publicEncrypt({ key, oaepHash: "sha256" }, material);
  const ExpirationModel = "KEY_MATERIAL_DOES_NOT_EXPIRE";
  return kms.importKeyMaterial({
    ...{ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel },
    ...input,
  });
}

test("the audit of each region tells what KMS did there by itself", async () => {
  const KeyId = await replicated();
  const materials = [(await describe(home, KeyId))?.CurrentKeyMaterialId];
  const eventsIn = async (region: string) => {
    const { cloudtrail } = server.clients(server.root, { region });
    const attribute = {
      AttributeValue: arnIn(region, KeyId),
      AttributeKey: "ResourceName",
    } as const;
    const { Events = [] } = await cloudtrail.lookupEvents({ LookupAttributes: [attribute] });
    const records = Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent ?? ""));
    return records.filter(({ userIdentity }) => userIdentity.invokedBy === "AWS Internal");
  };
  await home.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 });
  const rotations = {
    ON_DEMAND: () => home.rotateKeyOnDemand({ KeyId }),
    AUTOMATIC: () => server.advance(90 * 86_400),
  };
  for (const [rotationType, rotate] of Object.entries(rotations)) {
    await rotate();
    materials.push((await describe(home, KeyId))?.CurrentKeyMaterialId);
    const [previousKeyMaterialId, currentKeyMaterialId] = materials.slice(-2);
    const [event] = await eventsIn("us-east-1");
    deepEqual([event.eventName, event.eventType], ["RotateKey", "AwsServiceEvent"]);
    const told = { keyId: KeyId, rotationType, previousKeyMaterialId, currentKeyMaterialId };
    deepEqual(event.serviceEventDetails, told);
    const [synchronized, ...before] = await eventsIn("eu-west-1");
    const { eventName, eventType, requestParameters, resources } = synchronized;
    deepEqual([eventName, eventType], ["SynchronizeMultiRegionKey", "AwsApiCall"]);
    deepEqual([requestParameters, resources[0].ARN], [null, arnIn("eu-west-1", KeyId)]);
    // The one of the replication is too old for the history in the end.
    equal(before.length, rotationType === "ON_DEMAND" ? 1 : 0);
  }
});
