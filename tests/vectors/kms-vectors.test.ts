import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { after, test } from "node:test";
import { importedKey } from "../harness/import-key.ts";
import { runPython, withoutPython } from "../harness/python.ts";
import { startTestServer } from "../harness/server.ts";

// Goal: published vectors hold through the public API. Method: import the private key of the vector,
// sign, verify, agree; then python's `cryptography` as an implementation that shares no code with
// ours.

const server = await startTestServer();
after(() => server.stop());
const { kms } = server.rootClients;

const url = (hex: string) => Buffer.from(hex, "hex").toString("base64url");
const ecKey = (crv: string, d: string, x: string, y: string): Buffer => {
  const key = { kty: "EC", crv, d: url(d), x: url(x), y: url(y) };
  return createPrivateKey({ key, format: "jwk" }).export({ type: "pkcs8", format: "der" });
};

/** DER of an ECDSA signature, each number as short as it can be. */
function signatureOf(r: string, s: string): Buffer {
  const integer = (hex: string) => {
    const bytes = Buffer.from(hex, "hex");
    const body = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(2, body.length), body]);
  };
  const body = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

// RFC 6979 §A.2.5: P-256, SHA-256.
const rfc6979 = {
  d: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
  x: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
  y: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  sample: [
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  ],
  test: [
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
  ],
} as const;

test("ECDSA: RFC 6979, messages and digests", async () => {
  const { d, x, y } = rfc6979;
  const KeyId = await importedKey(kms, "ECC_NIST_P256", "SIGN_VERIFY", ecKey("P-256", d, x, y));
  for (const text of ["sample", "test"] as const) {
    const [r, s] = rfc6979[text];
    const Signature = signatureOf(r, s);
    const asked = { KeyId, SigningAlgorithm: "ECDSA_SHA_256" } as const;
    const Message = Buffer.from(text);
    equal((await kms.verify({ ...asked, Message, Signature })).SignatureValid, true);
    const digest = createHash("sha256").update(text).digest();
    const hashed = { ...asked, MessageType: "DIGEST", Message: digest } as const;
    equal((await kms.verify({ ...hashed, Signature })).SignatureValid, true);
    // Signing a digest is deterministic here, as that RFC has it.
    deepEqual(Buffer.from((await kms.sign(hashed)).Signature ?? []), Signature);
  }
});

// NIST CAVS 14.1, ECC CDH primitive, P-256, count 0.
test("ECDH: NIST's vector", async () => {
  const d = "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534";
  const x = "ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230";
  const y = "28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141";
  const KeyId = await importedKey(kms, "ECC_NIST_P256", "KEY_AGREEMENT", ecKey("P-256", d, x, y));
  const theirs = {
    kty: "EC",
    crv: "P-256",
    x: url("700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"),
    y: url("db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"),
  };
  const key = createPublicKey({ key: theirs, format: "jwk" });
  const PublicKey = key.export({ type: "spki", format: "der" });
  const asked = { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey } as const;
  const { SharedSecret } = await kms.deriveSharedSecret(asked);
  equal(
    Buffer.from(SharedSecret ?? []).toString("hex"),
    "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b",
  );
});

// RFC 8032 §7.1, test 2.
test("Ed25519: RFC 8032", async () => {
  const seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
  const pkcs8 = Buffer.from(`302e020100300506032b657004220420${seed}`, "hex");
  const KeyId = await importedKey(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY", pkcs8);
  const Message = Buffer.of(0x72);
  const { Signature } = await kms.sign({ KeyId, SigningAlgorithm: "ED25519_SHA_512", Message });
  equal(
    Buffer.from(Signature ?? []).toString("hex"),
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );
});

test("python verifies what we sign", {
  skip: withoutPython,
}, async () => {
  const Message = Buffer.from("patient record");
  const cases: string[] = [];
  for (const [KeySpec, SigningAlgorithm] of [
    ["RSA_2048", "RSASSA_PSS_SHA_384"],
    ["RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512"],
    ["ECC_NIST_P384", "ECDSA_SHA_384"],
    ["ECC_SECG_P256K1", "ECDSA_SHA_256"],
    ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512"],
  ] as const) {
    const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage: "SIGN_VERIFY" });
    const KeyId = KeyMetadata?.KeyId ?? "";
    const { PublicKey } = await kms.getPublicKey({ KeyId });
    const hashed = createHash(`sha${SigningAlgorithm.slice(-3)}`)
      .update(Message)
      .digest();
    const asked =
      KeySpec === "ECC_NIST_EDWARDS25519"
        ? { Message }
        : ({ Message: hashed, MessageType: "DIGEST" } as const);
    const { Signature } = await kms.sign({ KeyId, SigningAlgorithm, ...asked });
    const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
    cases.push(`${SigningAlgorithm} ${hex(PublicKey)} ${hex(Signature)}`);
  }
  const program = `
import sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
message = b"patient record"
for line in sys.stdin.read().split("\\n"):
    name, public, signature = line.split(" ")
    key = serialization.load_der_public_key(bytes.fromhex(public))
    signature = bytes.fromhex(signature)
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[name[-3:]]
    if name.startswith("RSASSA_PSS"):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.verify(signature, message, pss, digest)
    elif name.startswith("RSASSA"):
        key.verify(signature, message, padding.PKCS1v15(), digest)
    elif name.startswith("ECDSA"):
        key.verify(signature, message, ec.ECDSA(digest))
    else:
        key.verify(signature, message)
    print("ok", name)
`;
  const told = runPython(program, cases);
  equal(told.length, cases.length);
  ok(told.every((line) => line.startsWith("ok ")));
});
