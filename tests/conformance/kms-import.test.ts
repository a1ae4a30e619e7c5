import { deepEqual, equal } from "node:assert/strict";
import {
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { test } from "node:test";
import { type Answer, accountA, type Bed, createBed, refused, region, startMs } from "./kms-bed.ts";

// Goal: material comes in wrapped, works as the key's own, expires, goes, and comes back only as the
// same. Method: wrap with node:crypto as a customer would, by every algorithm; a clock that moves.

const dayMs = 86_400_000;
const arnOf = (keyId: string) => `arn:aws:kms:${region}:${accountA}:key/${keyId}`;
const forEver = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
const text = Buffer.from("x");

async function externalKey(bed: Bed, input: object = {}): Promise<string> {
  const created = await bed.kms("CreateKey", { Origin: "EXTERNAL", ...input });
  return String((created.KeyMetadata as Answer).KeyId);
}

async function parameters(
  bed: Bed,
  KeyId: string,
  WrappingAlgorithm = "RSAES_OAEP_SHA_256",
  WrappingKeySpec = "RSA_2048",
) {
  const got = await bed.kms("GetParametersForImport", {
    KeyId,
    WrappingAlgorithm,
    WrappingKeySpec,
  });
  const key = createPublicKey({ key: got.PublicKey as Buffer, format: "der", type: "spki" });
  const wrap = (material: Buffer) => wrapped(WrappingAlgorithm, key, material);
  const { ImportToken, ParametersValidTo } = got;
  return { ImportToken, ParametersValidTo, wrap };
}

function wrapped(algorithm: string, key: ReturnType<typeof createPublicKey>, material: Buffer) {
  const oaepHash = algorithm.endsWith("SHA_1") ? "sha1" : "sha256";
  const seal = (bytes: Buffer) => publicEncrypt({ key, oaepHash }, bytes);
  if (!algorithm.startsWith("RSA_AES")) return seal(material);
  const aes = randomBytes(32);
  const cipher = createCipheriv("aes256-wrap-pad", aes, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([seal(aes), cipher.update(material), cipher.final()]);
}

async function importInto(bed: Bed, KeyId: string, material: Buffer, input: object = {}) {
  const { ImportToken, wrap } = await parameters(bed, KeyId);
  const EncryptedKeyMaterial = wrap(material);
  return bed.kms("ImportKeyMaterial", {
    ...{ KeyId, ImportToken, EncryptedKeyMaterial },
    ...forEver,
    ...input,
  });
}

const stateOf = async (bed: Bed, KeyId: string) =>
  ((await bed.kms("DescribeKey", { KeyId })).KeyMetadata as Answer).KeyState;

for (const algorithm of [
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
  "RSA_AES_KEY_WRAP_SHA_1",
  "RSA_AES_KEY_WRAP_SHA_256",
]) {
  for (const spec of ["RSA_2048", "RSA_3072", "RSA_4096"]) {
    test(`material comes in by ${algorithm} under ${spec}`, async () => {
      const bed = await createBed();
      const KeyId = await externalKey(bed);
      const { ImportToken, wrap, ParametersValidTo } = await parameters(
        bed,
        KeyId,
        algorithm,
        spec,
      );
      equal(ParametersValidTo, startMs + dayMs);
      const EncryptedKeyMaterial = wrap(randomBytes(32));
      const done = await bed.kms("ImportKeyMaterial", {
        ...{ KeyId, ImportToken, EncryptedKeyMaterial, ...forEver },
      });
      equal(done.KeyId, arnOf(KeyId));
      const { KeyMetadata } = await bed.kms("DescribeKey", { KeyId });
      const { KeyState, ExpirationModel, CurrentKeyMaterialId } = KeyMetadata as Answer;
      deepEqual(
        [KeyState, ExpirationModel, CurrentKeyMaterialId],
        ["Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE", done.KeyMaterialId],
      );
      const sealed = await bed.kms("Encrypt", { KeyId, Plaintext: text });
      const opened = await bed.kms("Decrypt", { CiphertextBlob: sealed.CiphertextBlob });
      equal(String(opened.Plaintext), "x");
    });
  }
}

test("key pairs of customers: what they sign is what the imported key signs", async () => {
  const bed = await createBed();
  for (const [KeySpec, pair, SigningAlgorithm, algorithm] of [
    [
      "RSA_2048",
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      "RSASSA_PKCS1_V1_5_SHA_256",
      "RSA_AES_KEY_WRAP_SHA_256",
    ],
    [
      "ECC_NIST_P384",
      generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
      "ECDSA_SHA_384",
      "RSAES_OAEP_SHA_256",
    ],
  ] as const) {
    const KeyId = await externalKey(bed, { KeySpec, KeyUsage: "SIGN_VERIFY" });
    const material = pair.privateKey.export({ type: "pkcs8", format: "der" });
    const wrapping = KeySpec === "RSA_2048" ? "RSA_2048" : "RSA_4096";
    const { ImportToken, wrap } = await parameters(bed, KeyId, algorithm, wrapping);
    const EncryptedKeyMaterial = wrap(material);
    await bed.kms("ImportKeyMaterial", {
      ...{ KeyId, ImportToken, EncryptedKeyMaterial, ...forEver },
    });
    const hash = `sha${SigningAlgorithm.slice(-3)}`;
    const made = await bed.kms("Sign", { KeyId, Message: text, SigningAlgorithm });
    equal(verify(hash, text, pair.publicKey, made.Signature as Buffer), true);
    const Signature = sign(hash, text, pair.privateKey);
    await bed.kms("Verify", { KeyId, Message: text, SigningAlgorithm, Signature });
  }
});

test("imported HMAC keys make the customer's MACs", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
  // RFC 4868 §2.7.2.1, test case AUTH256-4.
  const key = Buffer.from(
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
    "hex",
  );
  await importInto(bed, KeyId, key);
  const asked = { KeyId, MacAlgorithm: "HMAC_SHA_256", Message: Buffer.alloc(50, 0xcd) };
  const { Mac } = await bed.kms("GenerateMac", asked);
  equal(
    (Mac as Buffer).toString("hex"),
    "372efcf9b40b35c2115b1346903d2ef42fced46f0846e7257bb156d3d7b30d3f",
  );
});

test("tokens: of this key, for a day; what does not open or fit is refused", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed);
  const other = await externalKey(bed);
  const { ImportToken, wrap } = await parameters(bed, KeyId);
  const good = { KeyId, ImportToken, EncryptedKeyMaterial: wrap(randomBytes(32)), ...forEver };
  const attempt = (input: object) => bed.kms("ImportKeyMaterial", { ...good, ...input });
  const flipped = Buffer.from(ImportToken as unknown as Buffer);
  flipped[40] = (flipped[40] ?? 0) ^ 1;
  const invalid = "InvalidImportTokenException";
  await refused(attempt({ KeyId: other }), invalid, /./);
  await refused(attempt({ ImportToken: flipped }), invalid, /./);
  await refused(attempt({ ImportToken: Buffer.from("x") }), invalid, /./);
  const broken = { EncryptedKeyMaterial: Buffer.alloc(256, 1) };
  await refused(attempt(broken), "InvalidCiphertextException", "");
  const short = { EncryptedKeyMaterial: wrap(randomBytes(16)) };
  await refused(attempt(short), "IncorrectKeyMaterialException", /./);
  equal(await stateOf(bed, KeyId), "PendingImport");
  bed.clock.nowMs = startMs + dayMs + 1;
  await refused(attempt({}), "ExpiredImportTokenException", /./);
  bed.clock.nowMs = startMs + dayMs;
  await attempt({});
});

test("wrappings that are withdrawn, not offered or too small are refused", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed);
  const rsa = await externalKey(bed, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
  const p521 = await externalKey(bed, { KeySpec: "ECC_NIST_P521", KeyUsage: "SIGN_VERIFY" });
  const unsupported = "UnsupportedOperationException";
  await refused(parameters(bed, KeyId, "RSAES_PKCS1_V1_5"), unsupported, /no longer/);
  await refused(parameters(bed, KeyId, "SM2PKE"), unsupported, /not available/);
  await refused(parameters(bed, rsa, "RSAES_OAEP_SHA_256"), "ValidationException", /not valid/);
  await refused(parameters(bed, p521, "RSAES_OAEP_SHA_256"), "ValidationException", /not valid/);
  await parameters(bed, p521, "RSAES_OAEP_SHA_256", "RSA_3072");
  const own = await bed.kms("CreateKey", {});
  const ownId = String((own.KeyMetadata as Answer).KeyId);
  const origin = `${arnOf(ownId)} origin is AWS_KMS which is not valid for this operation.`;
  await refused(parameters(bed, ownId), unsupported, origin);
});

test("expiry by the service clock; the same material comes back, another does not", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed);
  const material = randomBytes(32);
  const ValidTo = startMs + 30 * dayMs;
  const expiring = { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo };
  const first = await importInto(bed, KeyId, material, expiring);
  const { CiphertextBlob } = await bed.kms("Encrypt", { KeyId, Plaintext: text });
  const opened = () => bed.kms("Decrypt", { CiphertextBlob });
  await bed.runDue(ValidTo - 1);
  await opened();
  await bed.runDue(ValidTo);
  equal(await stateOf(bed, KeyId), "PendingImport");
  await refused(opened(), "KMSInvalidStateException", `${arnOf(KeyId)} is pending import.`);
  deepEqual(bed.destroyed, [arnOf(KeyId)]);
  deepEqual(bed.forgotten, [first.KeyMaterialId]);
  equal(bed.events.at(-1)?.eventName, "DeleteExpiredKeyMaterial");
  const other = importInto(bed, KeyId, randomBytes(32));
  await refused(other, "IncorrectKeyMaterialException", /./);
  const again = await importInto(bed, KeyId, material);
  equal(again.KeyMaterialId, first.KeyMaterialId);
  equal(String((await opened()).Plaintext), "x");
});

test("deletion: at once, with its data keys; again without effect", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed);
  const material = randomBytes(32);
  const { KeyMaterialId } = await importInto(bed, KeyId, material);
  const deleted = await bed.kms("DeleteImportedKeyMaterial", { KeyId });
  deepEqual(deleted, { KeyId: arnOf(KeyId), KeyMaterialId });
  deepEqual([bed.destroyed, bed.forgotten], [[arnOf(KeyId)], [KeyMaterialId]]);
  equal(await stateOf(bed, KeyId), "PendingImport");
  await bed.kms("DeleteImportedKeyMaterial", { KeyId });
  equal(bed.destroyed.length, 1);
  await importInto(bed, KeyId, material);
  equal(await stateOf(bed, KeyId), "Enabled");
});

test("several materials: new ones wait for their rotation, all must be there", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed);
  const [one, two, three] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const first = await importInto(bed, KeyId, one);
  const { CiphertextBlob } = await bed.kms("Encrypt", { KeyId, Plaintext: text });
  const none = `No available key material pending rotation for the key: ${arnOf(KeyId)}.`;
  await refused(bed.kms("RotateKeyOnDemand", { KeyId }), "KMSInvalidStateException", none);
  const fresh = { ImportType: "NEW_KEY_MATERIAL", KeyMaterialDescription: "second" };
  const second = await importInto(bed, KeyId, two, fresh);
  const states = async () =>
    (
      (await bed.kms("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" }))
        .Rotations as Answer[]
    ).map((entry) => [entry.KeyMaterialState, entry.ImportState]);
  deepEqual(await states(), [
    ["CURRENT", "IMPORTED"],
    ["PENDING_ROTATION", "IMPORTED"],
  ]);
  await refused(
    importInto(bed, KeyId, three, fresh),
    "KMSInvalidStateException",
    /cannot be imported into KMS key .* is pending rotation\.$/,
  );
  await bed.kms("RotateKeyOnDemand", { KeyId });
  const { KeyMetadata } = await bed.kms("DescribeKey", { KeyId });
  equal((KeyMetadata as Answer).CurrentKeyMaterialId, second.KeyMaterialId);
  equal(String((await bed.kms("Decrypt", { CiphertextBlob })).Plaintext), "x");
  const byId = { KeyId, KeyMaterialId: first.KeyMaterialId };
  await bed.kms("DeleteImportedKeyMaterial", byId);
  equal(await stateOf(bed, KeyId), "PendingImport");
  deepEqual(await states(), [
    ["NON_CURRENT", "PENDING_IMPORT"],
    ["CURRENT", "IMPORTED"],
  ]);
  await importInto(bed, KeyId, one);
  equal(await stateOf(bed, KeyId), "Enabled");
});

test("dates and models go together", async () => {
  const bed = await createBed();
  const KeyId = await externalKey(bed);
  const attempt = (input: object) => importInto(bed, KeyId, randomBytes(32), input);
  const needed = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";
  await refused(attempt({ ExpirationModel: undefined }), "ValidationException", needed);
  for (const input of [
    { ValidTo: startMs + dayMs },
    { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: startMs },
    { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: startMs + 366 * dayMs },
  ]) {
    await refused(attempt(input), "ValidationException", /./);
  }
});
