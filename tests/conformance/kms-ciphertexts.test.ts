import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { test } from "node:test";
import { type Answer, accountA, type Bed, createBed, refused, region } from "./kms-bed.ts";

// Goal: what keys seal opens for the right key and context and for nothing else; sizes, dry runs
// and what is not built answer in AWS's words.
// Method: the operations behind the real pipeline and the real cryptography, refusals typed from
// the fact sheet.

const arnOf = (keyId: string, account = accountA) =>
  `arn:aws:kms:${region}:${account}:key/${keyId}`;

test("an encryption context must come back exactly", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const EncryptionContext = { purpose: "test", Ward: "7" };
  const input = { KeyId, Plaintext: Buffer.from("secret"), EncryptionContext };
  const { CiphertextBlob } = await bed.kms("Encrypt", input);
  const reordered = { Ward: "7", purpose: "test" };
  const opened = await bed.kms("Decrypt", { CiphertextBlob, EncryptionContext: reordered });
  equal(String(opened.Plaintext), "secret");
  equal(opened.EncryptionAlgorithm, "SYMMETRIC_DEFAULT");
  for (const wrong of [undefined, {}, { purpose: "test" }, { ...reordered, ward: "7" }]) {
    const act = bed.kms("Decrypt", { CiphertextBlob, EncryptionContext: wrong });
    await refused(act, "InvalidCiphertextException", "");
  }
});

test("broken blobs, and blobs of another key, are refused", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const other = await newKey(bed);
  const sealed = await bed.kms("Encrypt", { KeyId, Plaintext: Buffer.from("secret") });
  const blob = sealed.CiphertextBlob as Buffer;
  const tampered = Buffer.from(blob);
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
  for (const CiphertextBlob of [Buffer.from("no blob"), tampered, blob.subarray(0, 40)]) {
    await refused(bed.kms("Decrypt", { CiphertextBlob }), "InvalidCiphertextException", "");
  }
  await refused(
    bed.kms("Decrypt", { CiphertextBlob: blob, KeyId: other }),
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
  );
});

test("GenerateDataKey gives the plaintext of its blob, for exactly one size", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  for (const [size, bytes] of [
    [{ KeySpec: "AES_256" }, 32],
    [{ KeySpec: "AES_128" }, 16],
    [{ NumberOfBytes: 1024 }, 1024],
  ] as const) {
    const made = await bed.kms("GenerateDataKey", { KeyId, ...size });
    equal((made.Plaintext as Buffer).length, bytes);
    const opened = await bed.kms("Decrypt", { CiphertextBlob: made.CiphertextBlob });
    deepEqual(opened.Plaintext, made.Plaintext);
    const hidden = await bed.kms("GenerateDataKeyWithoutPlaintext", { KeyId, ...size });
    deepEqual(Object.keys(hidden).sort(), ["CiphertextBlob", "KeyId", "KeyMaterialId"]);
    const shown = await bed.kms("Decrypt", { CiphertextBlob: hidden.CiphertextBlob });
    equal((shown.Plaintext as Buffer).length, bytes);
    notDeepEqual(shown.Plaintext, Buffer.alloc(bytes));
  }
  for (const size of [{}, { KeySpec: "AES_256", NumberOfBytes: 32 }]) {
    const text = "Please specify either number of bytes or key spec.";
    await refused(bed.kms("GenerateDataKey", { KeyId, ...size }), "ValidationException", text);
  }
});

test("ReEncrypt moves a blob to another key and context", async () => {
  const bed = await createBed();
  const [from, to] = [await newKey(bed), await newKey(bed)];
  const SourceEncryptionContext = { a: "1" };
  const sealed = await bed.kms("Encrypt", {
    KeyId: from,
    Plaintext: Buffer.from("moved"),
    EncryptionContext: SourceEncryptionContext,
  });
  const input = { CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: to };
  const DestinationEncryptionContext = { b: "2" };
  const moved = await bed.kms("ReEncrypt", {
    ...input,
    SourceEncryptionContext,
    DestinationEncryptionContext,
  });
  equal(moved.SourceKeyId, arnOf(from));
  equal(moved.KeyId, arnOf(to));
  const opened = await bed.kms("Decrypt", {
    CiphertextBlob: moved.CiphertextBlob,
    EncryptionContext: DestinationEncryptionContext,
  });
  equal(String(opened.Plaintext), "moved");
  equal(opened.KeyId, arnOf(to));
  await refused(bed.kms("ReEncrypt", input), "InvalidCiphertextException", "");
  const wrongKey = bed.kms("ReEncrypt", { ...input, SourceEncryptionContext, SourceKeyId: to });
  await refused(wrongKey, "IncorrectKeyException", /does not identify a CMK/);
});

test("DryRun ends where the operation would begin, and shows the ordinary refusals", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const sealed = await bed.kms("Encrypt", { KeyId, Plaintext: Buffer.from("x") });
  const DryRun = true;
  const acts: readonly [operation: string, input: object][] = [
    ["Encrypt", { KeyId, Plaintext: Buffer.from("x") }],
    ["Decrypt", { CiphertextBlob: sealed.CiphertextBlob }],
    ["Decrypt", { KeyId, DryRunModifiers: ["IGNORE_CIPHERTEXT"] }],
    ["GenerateDataKey", { KeyId, KeySpec: "AES_256" }],
    ["GenerateDataKeyWithoutPlaintext", { KeyId, KeySpec: "AES_256" }],
    ["ReEncrypt", { CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId: KeyId }],
  ];
  for (const [operation, input] of acts) {
    await refused(
      bed.kms(operation, { ...input, DryRun }),
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
    );
  }
  await bed.kms("DisableKey", { KeyId });
  for (const [operation, input] of acts) {
    await refused(bed.kms(operation, { ...input, DryRun }), "DisabledException", /is disabled\.$/);
  }
});

test("what is not built is refused where it is asked for", async () => {
  const bed = await createBed();
  const KeyId = await newKey(bed);
  const size = { KeyId, KeySpec: "AES_256" };
  const token = bed.kms("GenerateDataKey", { ...size, GrantTokens: ["dG9rZW4="] });
  await refused(token, "InvalidGrantTokenException", /grant token/);
  await bed.kms("GenerateDataKey", { ...size, GrantTokens: [] });
  const recipient = bed.kms("GenerateDataKey", { ...size, Recipient: {} });
  await refused(recipient, "UnsupportedOperationException", /Recipient/);
  const algorithm = bed.kms("Encrypt", {
    KeyId,
    Plaintext: Buffer.from("x"),
    EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
  });
  await refused(
    algorithm,
    "InvalidKeyUsageException",
    "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
  );
});

test("GenerateRandom needs a length and never repeats itself", async () => {
  const bed = await createBed();
  await refused(bed.kms("GenerateRandom", {}), "ValidationException", "NumberOfBytes is required.");
  const first = await bed.kms("GenerateRandom", { NumberOfBytes: 32 });
  const second = await bed.kms("GenerateRandom", { NumberOfBytes: 32 });
  equal((first.Plaintext as Buffer).length, 32);
  notDeepEqual(first.Plaintext, second.Plaintext);
});

async function newKey(bed: Bed): Promise<string> {
  return String(((await bed.kms("CreateKey", {})).KeyMetadata as Answer).KeyId);
}
