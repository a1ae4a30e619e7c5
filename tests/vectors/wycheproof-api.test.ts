import { deepEqual, equal, ok } from "node:assert/strict";
import { createECDH, createPrivateKey } from "node:crypto";
import { after, test } from "node:test";
import type { EncryptionAlgorithmSpec, KeySpec, SigningAlgorithmSpec } from "@aws-sdk/client-kms";
import { importedKey, importTarget } from "../harness/import-key.ts";
import { refusal, startTestServer, type TestServer } from "../harness/server.ts";
import {
  bytes,
  named,
  textOf,
  type Vector,
  type VectorGroup,
  vectorGroups,
  withoutVectors,
} from "./wycheproof.ts";

// Goal: what Wycheproof knows about secret and private keys holds through the public API. Method:
// import the key of each group, ask KMS for every case of it.

const skip = withoutVectors;
let started: Promise<TestServer> | undefined;
const client = async () => {
  started ??= startTestServer();
  return (await started).rootClients.kms;
};
after(async () => (await started)?.stop());

for (const bits of [224, 256, 384, 512] as const) {
  test(`HMAC-SHA-${bits}`, { skip }, async () => {
    const kms = await client();
    const KeySpec = `HMAC_${bits}` as const;
    const MacAlgorithm = `HMAC_SHA_${bits}` as const;
    const name = `hmac_sha${bits}`;
    for (const [key, vectors] of byMember(groupsOfSize(name, bits), "key")) {
      const material = Buffer.from(key, "hex");
      const KeyId = await importedKey(kms, KeySpec, "GENERATE_VERIFY_MAC", material);
      for (const vector of vectors) {
        const Message = bytes(vector, "msg");
        if (Message.length === 0) continue;
        const asked = { KeyId, MacAlgorithm, Message };
        const Mac = bytes(vector, "tag");
        if (vector.result === "valid") {
          equal((await kms.verifyMac({ ...asked, Mac })).MacValid, true, named(name, vector));
          const made = await kms.generateMac(asked);
          deepEqual(Buffer.from(made.Mac ?? []), Mac, named(name, vector));
        } else {
          const refused = await refusal(kms.verifyMac({ ...asked, Mac }));
          equal(refused?.name, "KMSInvalidMacException", named(name, vector));
        }
        // A part of a MAC is none.
        const part = Mac.subarray(0, Mac.length / 2);
        const short = await refusal(kms.verifyMac({ ...asked, Mac: part }));
        equal(short?.name, "KMSInvalidMacException", named(name, vector));
      }
    }
  });
}

for (const [KeySpec, EncryptionAlgorithm, name] of [
  ["RSA_2048", "RSAES_OAEP_SHA_1", "rsa_oaep_2048_sha1_mgf1sha1"],
  ["RSA_2048", "RSAES_OAEP_SHA_256", "rsa_oaep_2048_sha256_mgf1sha256"],
  ["RSA_3072", "RSAES_OAEP_SHA_256", "rsa_oaep_3072_sha256_mgf1sha256"],
  ["RSA_4096", "RSAES_OAEP_SHA_256", "rsa_oaep_4096_sha256_mgf1sha256"],
] as const) {
  test(`RSAES-OAEP: ${name}`, { skip }, () => opens(name, KeySpec, EncryptionAlgorithm));
}

/** KMS has no label: what was sealed under one does not open. */
async function opens(name: string, KeySpec: KeySpec, algorithm: EncryptionAlgorithmSpec) {
  const kms = await client();
  for (const group of vectorGroups(name)) {
    const material = bytes(group, "privateKeyPkcs8");
    const KeyId = await importedKey(kms, KeySpec, "ENCRYPT_DECRYPT", material);
    for (const vector of group.tests) {
      const CiphertextBlob = bytes(vector, "ct");
      if (CiphertextBlob.length === 0) continue;
      const asked = { KeyId, CiphertextBlob, EncryptionAlgorithm: algorithm };
      if (vector.result === "valid" && textOf(vector, "label") === "") {
        const { Plaintext } = await kms.decrypt(asked);
        deepEqual(Buffer.from(Plaintext ?? []), bytes(vector, "msg"), named(name, vector));
      } else {
        const refused = await refusal(kms.decrypt(asked));
        equal(refused?.name, "InvalidCiphertextException", named(name, vector));
        ok(["", "UnknownError"].includes(refused?.message ?? ""), named(name, vector));
      }
    }
  }
}

for (const bits of [2048, 3072, 4096] as const) {
  test(`RSASSA-PKCS1-v1_5 signatures of ${bits} bits`, { skip }, async () => {
    const kms = await client();
    const name = `rsa_pkcs1_${bits}_sig_gen`;
    const hashes = ["SHA-256", "SHA-384", "SHA-512"];
    for (const group of vectorGroups(name)) {
      if (!hashes.includes(textOf(group, "sha"))) continue;
      await signs(name, `RSA_${bits}`, group);
    }
    async function signs(label: string, KeySpec: KeySpec, group: VectorGroup) {
      const material = bytes(group, "privateKeyPkcs8");
      const made = importedKey(kms, KeySpec, "SIGN_VERIFY", material);
      const { publicExponent } = group.privateKey as { publicExponent: string };
      if (publicExponent !== "010001") {
        // AWS takes RSA keys with the exponent 65537 only.
        equal((await refusal(made))?.name, "IncorrectKeyMaterialException", publicExponent);
        return;
      }
      const digits = textOf(group, "sha").slice(4);
      const SigningAlgorithm = `RSASSA_PKCS1_V1_5_SHA_${digits}` as SigningAlgorithmSpec;
      const KeyId = await made;
      for (const vector of group.tests) {
        const Message = bytes(vector, "msg");
        if (Message.length === 0) continue;
        const { Signature } = await kms.sign({ KeyId, SigningAlgorithm, Message });
        deepEqual(Buffer.from(Signature ?? []), bytes(vector, "sig"), named(label, vector));
      }
    }
  });
}

for (const [KeySpec, curve, size] of [
  ["ECC_NIST_P256", "secp256r1", 32],
  ["ECC_NIST_P384", "secp384r1", 48],
  ["ECC_NIST_P521", "secp521r1", 66],
] as const) {
  test(`ECDH: ${curve}`, { skip }, async () => {
    const kms = await client();
    const name = `ecdh_${curve}`;
    let agreed = 0;
    for (const [secret, vectors] of byMember(vectorGroups(name), "private")) {
      const material = ecPrivateKey(curve, Buffer.from(secret, "hex"), size);
      const KeyId = await importedKey(kms, KeySpec, "KEY_AGREEMENT", material);
      for (const vector of vectors) {
        const PublicKey = bytes(vector, "public");
        if (PublicKey.length === 0) continue;
        const asked = kms.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey });
        const shared = await asked.then(
          ({ SharedSecret }) => Buffer.from(SharedSecret ?? []).toString("hex"),
          (error: Error) => error.name,
        );
        if (vector.result === "valid") equal(shared, vector.shared, named(name, vector));
        else if (vector.result === "invalid" || shared !== vector.shared) {
          equal(shared, "ValidationException", named(name, vector));
        }
        agreed += vector.result === "valid" ? 1 : 0;
      }
    }
    ok(agreed > 300);
  });
}

// RFC 5649, by which the material of an import may be wrapped.
test("AES-KWP: wrapped material", { skip }, async () => {
  const kms = await client();
  const [name, seen] = ["aes_kwp", { taken: 0, refused: 0 }];
  for (const vector of groupsOfSize(name, 256).flatMap(({ tests }) => tests)) {
    const { send } = await importTarget(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    const outcome = await refusal(send(bytes(vector, "key"), bytes(vector, "ct")));
    if (vector.result === "invalid") {
      equal(outcome?.name, "InvalidCiphertextException", named(name, vector));
      seen.refused += 1;
    } else if (bytes(vector, "msg").length === 32) {
      equal(outcome, undefined, named(name, vector));
      seen.taken += 1;
    } else {
      // It opens, and is no key of 256 bits.
      equal(outcome?.name, "IncorrectKeyMaterialException", named(name, vector));
    }
  }
  ok(seen.taken > 0 && seen.refused > 20);
});

function groupsOfSize(name: string, keySize: number): readonly VectorGroup[] {
  return vectorGroups(name).filter((group) => group.keySize === keySize);
}

function byMember(groups: readonly VectorGroup[], member: string): Map<string, Vector[]> {
  const all = groups.filter(({ tagSize, keySize }) => tagSize === keySize);
  return Map.groupBy(
    all.flatMap(({ tests }) => tests),
    (vector) => textOf(vector, member),
  );
}

function ecPrivateKey(curve: string, secret: Buffer, size: number): Buffer {
  const names = { secp256r1: "P-256", secp384r1: "P-384", secp521r1: "P-521" } as const;
  const ecdh = createECDH(curve === "secp256r1" ? "prime256v1" : curve);
  // Wycheproof writes numbers with a leading zero, or without leading zeros.
  const scalar = Buffer.alloc(size);
  const digits = secret.subarray(Math.max(0, secret.length - size));
  digits.copy(scalar, size - digits.length);
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const part = (from: number) => point.subarray(from, from + size).toString("base64url");
  const crv = names[curve as keyof typeof names];
  const jwk = { kty: "EC", crv, d: scalar.toString("base64url"), x: part(1), y: part(1 + size) };
  return createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "der" });
}
