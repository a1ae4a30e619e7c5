import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import {
  constants,
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  sign as signHere,
  verify as verifyHere,
} from "node:crypto";
import { after, test } from "node:test";
import type { KeySpec, KeyUsageType, SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import { refusal, startTestServer } from "../harness/server.ts";

// Goal: every kind of key does what AWS's table says, with keys and signatures that others
// understand. Method: the SDK against a whole server; what it makes is checked with node:crypto
// outside, and what is made outside is checked by it.

const server = await startTestServer();
after(() => server.stop());
const { kms } = server.rootClients;
const message = Buffer.from("patient record");

async function newKey(KeySpec: KeySpec, KeyUsage: KeyUsageType) {
  const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage });
  return { id: KeyMetadata?.KeyId ?? "", arn: KeyMetadata?.Arn ?? "", metadata: KeyMetadata };
}

async function publicKeyOf(KeyId: string) {
  const { PublicKey = new Uint8Array() } = await kms.getPublicKey({ KeyId });
  return createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
}

const rsaAlgorithms: readonly SigningAlgorithmSpec[] = [
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
];
const signing: readonly [KeySpec, readonly SigningAlgorithmSpec[]][] = [
  ["RSA_2048", rsaAlgorithms],
  ["RSA_3072", rsaAlgorithms],
  ["RSA_4096", rsaAlgorithms],
  ["ECC_NIST_P256", ["ECDSA_SHA_256"]],
  ["ECC_NIST_P384", ["ECDSA_SHA_384"]],
  ["ECC_NIST_P521", ["ECDSA_SHA_512"]],
  ["ECC_SECG_P256K1", ["ECDSA_SHA_256"]],
];

for (const [spec, algorithms] of signing) {
  test(`${spec} signs messages and digests that others verify`, async () => {
    const key = await newKey(spec, "SIGN_VERIFY");
    deepEqual(key.metadata?.SigningAlgorithms, algorithms);
    equal(key.metadata?.EncryptionAlgorithms, undefined);
    equal(key.metadata?.CurrentKeyMaterialId, undefined);
    const outside = await publicKeyOf(key.id);
    for (const SigningAlgorithm of algorithms) {
      const hash = `sha${SigningAlgorithm.slice(-3)}`;
      const digest = createHash(hash).update(message).digest();
      const pss = SigningAlgorithm.startsWith("RSASSA_PSS") && {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: digest.length,
      };
      const asked = { KeyId: key.id, SigningAlgorithm };
      for (const [MessageType, Message] of [
        ["RAW", message],
        ["DIGEST", digest],
      ] as const) {
        const { Signature = new Uint8Array(), KeyId } = await kms.sign({
          ...asked,
          MessageType,
          Message,
        });
        equal(KeyId, key.arn);
        ok(verifyHere(hash, message, { key: outside, ...pss }, Signature), SigningAlgorithm);
        const checked = await kms.verify({ ...asked, MessageType, Message, Signature });
        equal(checked.SignatureValid, true);
        const damaged = Uint8Array.from(Signature);
        damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
        for (const bad of [damaged, Signature.subarray(1), Uint8Array.of(0)]) {
          const refused = await refusal(
            kms.verify({ ...asked, MessageType, Message, Signature: bad }),
          );
          equal(refused?.name, "KMSInvalidSignatureException");
        }
      }
      const short = await refusal(
        kms.sign({ ...asked, MessageType: "DIGEST", Message: digest.subarray(1) }),
      );
      equal(short?.message, `Digest is invalid length for algorithm ${SigningAlgorithm}.`);
    }
  });
}

test("Ed25519 signs messages; its digests are those of Ed25519ph", async () => {
  const key = await newKey("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
  const outside = await publicKeyOf(key.id);
  const plain = { KeyId: key.id, SigningAlgorithm: "ED25519_SHA_512" } as const;
  const { Signature = new Uint8Array() } = await kms.sign({ ...plain, Message: message });
  ok(verifyHere(null, message, outside, Signature));
  const digest = createHash("sha512").update(message).digest();
  const hashed = { ...plain, SigningAlgorithm: "ED25519_PH_SHA_512" } as const;
  const asked = { ...hashed, MessageType: "DIGEST", Message: digest } as const;
  const made = await kms.sign(asked);
  equal((await kms.verify({ ...asked, Signature: made.Signature })).SignatureValid, true);
  // Another scheme: the same bytes as a plain signature of the digest do not hold.
  ok(!verifyHere(null, digest, outside, made.Signature ?? new Uint8Array()));
  const wrong = await refusal(kms.sign({ ...plain, MessageType: "DIGEST", Message: digest }));
  equal(wrong?.name, "ValidationException");
});

// RFC 8032 §7.3, the one vector of Ed25519ph.
test("Ed25519ph verifies the vector of RFC 8032", async () => {
  const seed = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42";
  const signature =
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41" +
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406";
  const pkcs8 = Buffer.from(`302e020100300506032b657004220420${seed}`, "hex");
  const { id, arn } = await imported("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", pkcs8);
  const Message = createHash("sha512").update("abc").digest();
  const asked = { SigningAlgorithm: "ED25519_PH_SHA_512", MessageType: "DIGEST", Message } as const;
  const { Signature } = await kms.sign({ KeyId: id, ...asked });
  equal(Buffer.from(Signature ?? []).toString("hex"), signature);
  const checked = await kms.verify({ KeyId: arn, ...asked, Signature });
  equal(checked.SignatureValid, true);
});

for (const spec of ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"] as const) {
  test(`${spec} signs messages and external mu`, async (t) => {
    const made = await refusal(kms.createKey({ KeySpec: spec, KeyUsage: "SIGN_VERIFY" }));
    if (made) {
      equal(made.message, `KeySpec ${spec} is not available on this server.`);
      return t.skip("this runtime has no ML-DSA");
    }
    const key = await newKey(spec, "SIGN_VERIFY");
    const outside = await publicKeyOf(key.id);
    const asked = { KeyId: key.id, SigningAlgorithm: "ML_DSA_SHAKE_256" } as const;
    const { Signature = new Uint8Array() } = await kms.sign({ ...asked, Message: message });
    ok(verifyHere(null, message, outside, Signature));
    // FIPS 204 §6.2: mu = SHAKE256(SHAKE256(pk, 64) ‖ 0 ‖ 0 ‖ M, 64); no context.
    const spki = outside.export({ type: "spki", format: "der" });
    const raw = spki.subarray(
      spki.length - { ML_DSA_44: 1312, ML_DSA_65: 1952, ML_DSA_87: 2592 }[spec],
    );
    const shake = (...parts: Uint8Array[]) =>
      createHash("shake256", { outputLength: 64 }).update(Buffer.concat(parts)).digest();
    const mu = shake(shake(raw), Buffer.of(0, 0), message);
    const external = { ...asked, MessageType: "EXTERNAL_MU", Message: mu } as const;
    const second = await kms.sign(external);
    ok(verifyHere(null, message, outside, second.Signature ?? new Uint8Array()));
    equal((await kms.verify({ ...external, Signature })).SignatureValid, true);
  });
}

for (const [bits, spec] of [224, 256, 384, 512].map((n) => [n, `HMAC_${n}` as KeySpec] as const)) {
  test(`${spec} makes MACs and tells wrong ones`, async () => {
    const key = await newKey(spec, "GENERATE_VERIFY_MAC");
    const MacAlgorithm = `HMAC_SHA_${bits}` as "HMAC_SHA_256";
    const asked = { KeyId: key.id, MacAlgorithm, Message: message };
    const { Mac = new Uint8Array() } = await kms.generateMac(asked);
    equal(Mac.length, bits / 8);
    equal((await kms.verifyMac({ ...asked, Mac })).MacValid, true);
    for (const bad of [Mac.map((byte) => byte ^ 1), Mac.subarray(1)]) {
      equal((await refusal(kms.verifyMac({ ...asked, Mac: bad })))?.name, "KMSInvalidMacException");
    }
    const other = bits === 256 ? "HMAC_SHA_384" : "HMAC_SHA_256";
    const refused = await refusal(kms.generateMac({ ...asked, MacAlgorithm: other }));
    equal(refused?.name, "InvalidKeyUsageException");
    equal(
      (await refusal(kms.getPublicKey({ KeyId: key.id })))?.name,
      "UnsupportedOperationException",
    );
  });
}

for (const [spec, curve] of [
  ["ECC_NIST_P256", "prime256v1"],
  ["ECC_NIST_P384", "secp384r1"],
  ["ECC_NIST_P521", "secp521r1"],
] as const) {
  test(`${spec} agrees on a secret`, async () => {
    const key = await newKey(spec, "KEY_AGREEMENT");
    deepEqual(key.metadata?.KeyAgreementAlgorithms, ["ECDH"]);
    const theirs = generateKeyPairSync("ec", { namedCurve: curve });
    const PublicKey = theirs.publicKey.export({ type: "spki", format: "der" });
    const asked = { KeyId: key.id, KeyAgreementAlgorithm: "ECDH", PublicKey } as const;
    const { SharedSecret, KeyOrigin } = await kms.deriveSharedSecret(asked);
    const ours = await publicKeyOf(key.id);
    const expected = diffieHellman({ privateKey: theirs.privateKey, publicKey: ours });
    deepEqual(Buffer.from(SharedSecret ?? []), expected);
    equal(KeyOrigin, "AWS_KMS");
    const other = createECDH("secp256k1");
    other.generateKeys();
    const wrongCurve = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey;
    for (const bad of [
      wrongCurve.export({ type: "spki", format: "der" }),
      Buffer.from("not a key"),
      PublicKey.subarray(0, 40),
    ]) {
      const refused = await refusal(kms.deriveSharedSecret({ ...asked, PublicKey: bad }));
      equal(refused?.name, "ValidationException");
    }
  });
}

for (const [spec, bytesMax] of [
  ["RSA_2048", [214, 190]],
  ["RSA_3072", [342, 318]],
  ["RSA_4096", [470, 446]],
] as const) {
  test(`${spec} encrypts up to its limit, and opens what others encrypt`, async () => {
    const key = await newKey(spec, "ENCRYPT_DECRYPT");
    const outside = await publicKeyOf(key.id);
    for (const [index, name] of (["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] as const).entries()) {
      const longest = Buffer.alloc(bytesMax[index] ?? 0, 7);
      const asked = { KeyId: key.id, EncryptionAlgorithm: name };
      const { CiphertextBlob } = await kms.encrypt({ ...asked, Plaintext: longest });
      const opened = await kms.decrypt({ ...asked, CiphertextBlob });
      deepEqual(Buffer.from(opened.Plaintext ?? []), longest);
      equal(opened.KeyMaterialId, undefined);
      const tooLong = await refusal(
        kms.encrypt({ ...asked, Plaintext: Buffer.alloc(longest.length + 1) }),
      );
      equal(
        tooLong?.message,
        `Algorithm ${name} and key spec ${spec} cannot encrypt data larger than ${longest.length} bytes.`,
      );
      const oaepHash = name === "RSAES_OAEP_SHA_1" ? "sha1" : "sha256";
      const made = publicEncrypt({ key: outside, oaepHash }, message);
      const theirs = await kms.decrypt({ ...asked, CiphertextBlob: made });
      deepEqual(Buffer.from(theirs.Plaintext ?? []), message);
      made[9] = (made[9] ?? 0) ^ 1;
      const broken = await refusal(kms.decrypt({ ...asked, CiphertextBlob: made }));
      equal(broken?.name, "InvalidCiphertextException");
    }
    const context = { EncryptionContext: { a: "b" }, Plaintext: message };
    const refused = await refusal(
      kms.encrypt({ KeyId: key.id, EncryptionAlgorithm: "RSAES_OAEP_SHA_256", ...context }),
    );
    equal(refused?.name, "ValidationException");
  });
}

test("ReEncrypt goes between kinds of keys", async () => {
  const rsa = await newKey("RSA_2048", "ENCRYPT_DECRYPT");
  const symmetric = await newKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const EncryptionAlgorithm = "RSAES_OAEP_SHA_256";
  const sealed = await kms.encrypt({ KeyId: rsa.id, EncryptionAlgorithm, Plaintext: message });
  const context = { ward: "7" };
  const moved = await kms.reEncrypt({
    CiphertextBlob: sealed.CiphertextBlob,
    SourceKeyId: rsa.id,
    SourceEncryptionAlgorithm: EncryptionAlgorithm,
    DestinationKeyId: symmetric.id,
    DestinationEncryptionContext: context,
  });
  const { CiphertextBlob } = moved;
  const opened = await kms.decrypt({ CiphertextBlob, EncryptionContext: context });
  deepEqual(Buffer.from(opened.Plaintext ?? []), message);
  equal(moved.SourceKeyMaterialId, undefined);
  equal(moved.DestinationKeyMaterialId, opened.KeyMaterialId);
  const long = await kms.encrypt({ KeyId: symmetric.id, Plaintext: Buffer.alloc(300) });
  const tooLong = await refusal(
    kms.reEncrypt({
      CiphertextBlob: long.CiphertextBlob,
      DestinationKeyId: rsa.id,
      DestinationEncryptionAlgorithm: EncryptionAlgorithm,
    }),
  );
  equal(tooLong?.name, "ValidationException");
});

test("data key pairs: the private key opens only with the key, and fits its public half", async () => {
  const { id } = await newKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const context = { EncryptionContext: { ward: "7" } };
  for (const KeyPairSpec of [
    ...(["RSA_2048", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] as const),
    ...(["ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"] as const),
  ]) {
    const pair = await kms.generateDataKeyPair({ KeyId: id, KeyPairSpec, ...context });
    const CiphertextBlob = pair.PrivateKeyCiphertextBlob;
    const opened = await kms.decrypt({ CiphertextBlob, ...context });
    deepEqual(opened.Plaintext, pair.PrivateKeyPlaintext);
    const der = { format: "der" } as const;
    const pkcs8 = Buffer.from(pair.PrivateKeyPlaintext ?? []);
    const privateKey = createPrivateKey({ key: pkcs8, ...der, type: "pkcs8" });
    const publicKey = createPublicKey({
      key: Buffer.from(pair.PublicKey ?? []),
      ...der,
      type: "spki",
    });
    const hash = KeyPairSpec === "ECC_NIST_EDWARDS25519" ? null : "sha256";
    ok(verifyHere(hash, message, publicKey, signHere(hash, message, privateKey)), KeyPairSpec);
    equal((await refusal(kms.decrypt({ CiphertextBlob })))?.name, "InvalidCiphertextException");
  }
  const blind = await kms.generateDataKeyPairWithoutPlaintext({
    KeyId: id,
    KeyPairSpec: "ECC_NIST_P256",
  });
  equal("PrivateKeyPlaintext" in blind, false);
  notDeepEqual(blind.PrivateKeyCiphertextBlob, undefined);
  const sm2 = await refusal(kms.generateDataKeyPair({ KeyId: id, KeyPairSpec: "SM2" }));
  equal(sm2?.name, "UnsupportedOperationException");
});

test("keys are used for what they are, and nothing else", async () => {
  const signer = await newKey("ECC_NIST_P256", "SIGN_VERIFY");
  const symmetric = await newKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const usage = (arn: string, is: string, operation: string) =>
    `${arn} key usage is ${is} which is not valid for ${operation}.`;
  const Message = message;
  const cases: readonly [() => Promise<unknown>, string][] = [
    [
      () => kms.encrypt({ KeyId: signer.id, Plaintext: message }),
      usage(signer.arn, "SIGN_VERIFY", "Encrypt"),
    ],
    [
      () => kms.generateDataKey({ KeyId: signer.id, KeySpec: "AES_256" }),
      usage(signer.arn, "SIGN_VERIFY", "GenerateDataKey"),
    ],
    [
      () => kms.sign({ KeyId: symmetric.id, Message, SigningAlgorithm: "ECDSA_SHA_256" }),
      usage(symmetric.arn, "ENCRYPT_DECRYPT", "Sign"),
    ],
    [
      () => kms.generateMac({ KeyId: symmetric.id, Message, MacAlgorithm: "HMAC_SHA_256" }),
      usage(symmetric.arn, "ENCRYPT_DECRYPT", "GenerateMac"),
    ],
    [
      () => kms.sign({ KeyId: signer.id, Message, SigningAlgorithm: "ECDSA_SHA_384" }),
      "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.",
    ],
  ];
  for (const [call, text] of cases) {
    const refused = await refusal(call());
    deepEqual([refused?.name, refused?.message], ["InvalidKeyUsageException", text]);
  }
});

test("what is not offered says so: enclaves, SM2, ML-KEM, custom key stores", async () => {
  const { id } = await newKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const Recipient = { AttestationDocument: Buffer.from("x") };
  const { CiphertextBlob } = await kms.encrypt({ KeyId: id, Plaintext: message });
  for (const call of [
    () => kms.generateDataKey({ KeyId: id, KeySpec: "AES_256", Recipient }),
    () => kms.decrypt({ CiphertextBlob, Recipient }),
    () => kms.generateRandom({ NumberOfBytes: 8, Recipient }),
    () => kms.createKey({ KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" }),
    () => kms.createKey({ Origin: "AWS_CLOUDHSM", CustomKeyStoreId: "cks-1" }),
    () => kms.describeCustomKeyStores({}),
    () => kms.createCustomKeyStore({ CustomKeyStoreName: "store" }),
  ]) {
    const refused = await refusal(call());
    equal(refused?.name, "UnsupportedOperationException");
    ok((refused?.message ?? "").endsWith("is not available on this server."));
  }
});

test("making an RSA key holds up nobody else", async () => {
  const { id } = await newKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  let done = false;
  const slow = Promise.all(
    [1, 2, 3].map(() => kms.createKey({ KeySpec: "RSA_4096", KeyUsage: "SIGN_VERIFY" })),
  ).then(() => {
    done = true;
  });
  let quick = 0;
  while (!done) {
    await kms.generateDataKey({ KeyId: id, KeySpec: "AES_256" });
    quick += 1;
  }
  await slow;
  ok(quick > 10, `${quick} data keys were made meanwhile`);
});

/** A key with this material, brought in the way the API has for it. */
async function imported(KeySpec: KeySpec, KeyUsage: KeyUsageType, material: Buffer) {
  const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage, Origin: "EXTERNAL" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  const WrappingAlgorithm = "RSAES_OAEP_SHA_256";
  const parameters = { KeyId, WrappingAlgorithm, WrappingKeySpec: "RSA_2048" } as const;
  const { PublicKey, ImportToken } = await kms.getParametersForImport(parameters);
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  const EncryptedKeyMaterial = publicEncrypt({ key, oaepHash: "sha256" }, material);
  const ExpirationModel = "KEY_MATERIAL_DOES_NOT_EXPIRE";
  await kms.importKeyMaterial({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel });
  return { id: KeyId, arn: KeyMetadata?.Arn ?? "" };
}
