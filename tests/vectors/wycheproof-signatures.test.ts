import { equal, ok } from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { type SigningQuestion, verifyNative } from "../../src/crypto/signature.ts";
import { type HashName, hashBytesOf, type KeySpec } from "../../src/kernel/key-specs.ts";
import { verifyDigest } from "../../src/keys/digest-signatures.ts";
import { bytes, named, type Vector, vectorGroups, withoutVectors } from "./wycheproof.ts";

// Goal: every signature of Wycheproof is judged as it says, whether the key process hashes the
// message or is given the digest, which other code decides. Method: its public keys and signatures
// through the layer that Verify ends in (a public key alone cannot be imported).

const skip = withoutVectors;

const ellipticCurves = [
  ["ECC_NIST_P256", "secp256r1", "sha256"],
  ["ECC_NIST_P384", "secp384r1", "sha384"],
  ["ECC_NIST_P521", "secp521r1", "sha512"],
  ["ECC_SECG_P256K1", "secp256k1", "sha256"],
] as const;

for (const [keySpec, curve, hashName] of ellipticCurves) {
  const name = `ecdsa_${curve}_${hashName}`;
  test(`ECDSA: ${name}`, { skip }, async () => {
    const algorithm = `ECDSA_SHA_${hashName.slice(3)}`;
    await judgeAll(name, "publicKeyDer", { keySpec, algorithm, hashName, digest: verifyDigest });
  });
}

const rsaFiles = [
  ...[2048, 3072, 4096].flatMap((bits) =>
    (["sha256", "sha384", "sha512"] as const).map((hashName) => ({
      name: `rsa_signature_${bits}_${hashName}`,
      algorithm: `RSASSA_PKCS1_V1_5_SHA_${hashName.slice(3)}`,
      hashName,
    })),
  ),
  ...(
    [
      ["rsa_pss_2048_sha256_mgf1_32", "sha256"],
      ["rsa_pss_3072_sha256_mgf1_32", "sha256"],
      ["rsa_pss_4096_sha256_mgf1_32", "sha256"],
      ["rsa_pss_2048_sha384_mgf1_48", "sha384"],
      ["rsa_pss_4096_sha384_mgf1_48", "sha384"],
      ["rsa_pss_4096_sha512_mgf1_64", "sha512"],
    ] as const
  ).map(([name, hashName]) => ({
    name,
    algorithm: `RSASSA_PSS_SHA_${hashName.slice(3)}`,
    hashName,
  })),
];

for (const { name, ...how } of rsaFiles) {
  test(`RSA: ${name}`, { skip }, async () => {
    const keySpec = `RSA_${name.match(/\d{4}/)?.[0]}` as KeySpec;
    await judgeAll(name, "publicKeyDer", { keySpec, ...how, digest: verifyNative });
  });
}

// KMS has one form of PSS: salt as long as the hash, MGF1 with the same hash. A case that was changed
// into that form holds, whatever it was meant to show.
for (const [name, hashName] of [
  ["rsa_pss_2048_sha256_mgf1_0", "sha256"],
  ["rsa_pss_2048_sha256_mgf1sha1_20", "sha256"],
  ["rsa_pss_4096_sha512_mgf1_32", "sha512"],
] as const) {
  test(`RSA: ${name} is of another form, so only what is of ours holds`, { skip }, async () => {
    const keySpec = `RSA_${name.match(/\d{4}/)?.[0]}` as KeySpec;
    const algorithm = `RSASSA_PSS_SHA_${hashName.slice(3)}`;
    const how = { keySpec, algorithm, hashName, digest: verifyNative };
    for (const group of vectorGroups(name)) {
      for (const vector of group.tests) {
        const { raw, digested } = await judge(vector, bytes(group, "publicKeyDer"), how);
        const ours =
          group.mgfSha === group.sha &&
          vector.comment === `s_len changed to ${hashBytesOf(hashName)}`;
        equal(raw, ours, named(name, vector));
        equal(digested, ours, named(name, vector));
      }
    }
  });
}

test("Ed25519: ed25519", { skip }, async () => {
  const question = { keySpec: "ECC_NIST_EDWARDS25519", algorithm: "ED25519_SHA_512" } as const;
  for (const group of vectorGroups("ed25519")) {
    for (const vector of group.tests) {
      const asked = { ...question, messageType: "RAW", message: bytes(vector, "msg") } as const;
      const holds = await verifyNative(asked, bytes(group, "publicKeyDer"), bytes(vector, "sig"));
      equal(holds, vector.result === "valid", named("ed25519", vector));
    }
  }
});

interface How {
  readonly keySpec: KeySpec;
  readonly algorithm: string;
  readonly hashName: HashName;
  readonly digest: typeof verifyNative;
}

async function judgeAll(name: string, keyMember: string, how: How): Promise<void> {
  const seen = { valid: 0, invalid: 0, acceptable: 0 };
  for (const group of vectorGroups(name)) {
    const publicKey = bytes(group, keyMember);
    for (const vector of group.tests) {
      const { raw, digested } = await judge(vector, publicKey, how);
      equal(raw, digested, `both ways judge alike: ${named(name, vector)}`);
      if (vector.result !== "acceptable") {
        equal(raw, vector.result === "valid", named(name, vector));
      }
      seen[vector.result] += 1;
    }
  }
  ok(seen.valid > 5 && seen.invalid > 20, `${name} has cases of both kinds`);
}

async function judge(vector: Vector, publicKey: Buffer, { hashName, digest, ...how }: How) {
  const [message, signature] = [bytes(vector, "msg"), bytes(vector, "sig")];
  const raw: SigningQuestion = { ...how, messageType: "RAW", message };
  const digested: SigningQuestion = {
    ...how,
    messageType: "DIGEST",
    message: hash(hashName, message, "buffer"),
  };
  return {
    raw: await verifyNative(raw, publicKey, signature),
    digested: await digest(digested, publicKey, signature),
  };
}
