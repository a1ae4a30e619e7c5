import { createPrivateKey, createPublicKey } from "node:crypto";
import type { SigningQuestion } from "../crypto/signature.ts";
import { assert } from "../kernel/errors.ts";
import { type KeySpec, keyForm } from "../kernel/key-specs.ts";

/*
 * Signatures over what somebody else hashed: Node hashes elliptic-curve messages itself and knows
 * neither Ed25519ph nor ML-DSA with an external mu. The libraries are loaded at first need.
 *
 * Their arithmetic is JavaScript's, whose running time depends a little on the secret: it stays in
 * this process, and docs/threat-model.md says so.
 */
type Bytes = Uint8Array<ArrayBufferLike>;

/** `privateKey` is PKCS #8 DER; it is read before anything is awaited. */
export async function signDigest(question: SigningQuestion, privateKey: Bytes): Promise<Buffer> {
  const secret = privateScalar(question.keySpec, privateKey);
  try {
    return Buffer.from(await signWith(question, secret));
  } finally {
    secret.fill(0);
  }
}

async function signWith({ keySpec, message }: SigningQuestion, secret: Bytes): Promise<Bytes> {
  const form = keyForm(keySpec);
  if (form.family === "ec") {
    const curve = await curveOf(keySpec);
    return curve.sign(message, secret, { prehash: false, lowS: false, format: "der" });
  }
  if (form.family === "ed25519") return (await ed25519OverDigest()).sign(message, secret);
  assert(form.family === "ml-dsa", "a key that signs what is hashed");
  const scheme = await mlDsaOf(keySpec);
  const { secretKey } = scheme.keygen(Uint8Array.from(secret));
  try {
    return scheme.internal.sign(message, secretKey, { externalMu: true });
  } finally {
    secretKey.fill(0);
  }
}

/** `publicKey` is SPKI DER. A malformed signature does not hold. */
export async function verifyDigest(
  question: SigningQuestion,
  publicKey: Bytes,
  signature: Bytes,
): Promise<boolean> {
  const point = publicPoint(publicKey);
  const verify = await verifierOf(question.keySpec);
  try {
    return verify(signature, question.message, point);
  } catch (error) {
    // The libraries throw for what cannot be a signature; anything else is a bug of ours.
    if (error instanceof Error) return false;
    throw error;
  }
}

type Verify = (signature: Bytes, message: Bytes, point: Bytes) => boolean;

async function verifierOf(keySpec: KeySpec): Promise<Verify> {
  const { family } = keyForm(keySpec);
  if (family === "ec") {
    const curve = await curveOf(keySpec);
    const how = { prehash: false, lowS: false, format: "der" } as const;
    return (signature, message, point) => curve.verify(signature, message, point, how);
  }
  if (family === "ed25519") {
    const scheme = await ed25519OverDigest();
    return (...asked) => scheme.verify(...asked, { zip215: false });
  }
  const scheme = await mlDsaOf(keySpec);
  return (...asked) => scheme.internal.verify(...asked, { externalMu: true });
}

async function curveOf(keySpec: KeySpec) {
  if (keySpec === "ECC_SECG_P256K1") {
    return (await import("@noble/curves/secp256k1.js")).secp256k1;
  }
  const { p256, p384, p521 } = await import("@noble/curves/nist.js");
  if (keySpec === "ECC_NIST_P256") return p256;
  return keySpec === "ECC_NIST_P384" ? p384 : p521;
}

async function mlDsaOf(keySpec: KeySpec) {
  const { ml_dsa44, ml_dsa65, ml_dsa87 } = await import("@noble/post-quantum/ml-dsa.js");
  if (keySpec === "ML_DSA_44") return ml_dsa44;
  return keySpec === "ML_DSA_65" ? ml_dsa65 : ml_dsa87;
}

const dom2 = Buffer.from("SigEd25519 no Ed25519 collisions");

/** Ed25519ph (RFC 8032 §5.1) without its first step: the message is the SHA-512 already. */
async function ed25519OverDigest() {
  const { ed25519 } = await import("@noble/curves/ed25519.js");
  const { eddsa } = await import("@noble/curves/abstract/edwards.js");
  const { sha512 } = await import("@noble/hashes/sha2.js");
  return eddsa(ed25519.Point, sha512, {
    domain: (data: Bytes, context: Bytes) =>
      Uint8Array.from([...dom2, 1, context.length, ...context, ...data]),
    adjustScalarBytes(bytes: Bytes) {
      bytes[0] = (bytes[0] ?? 0) & 0xf8;
      bytes[31] = ((bytes[31] ?? 0) & 0x7f) | 0x40;
      return bytes as Uint8Array<ArrayBuffer>;
    },
  });
}

/** The secret number or seed inside a PKCS #8 key, in a buffer of its own. */
function privateScalar(keySpec: KeySpec, pkcs8: Bytes): Buffer {
  if (keyForm(keySpec).family !== "ec") {
    // Ed25519 and ML-DSA in seed form end with their 32 bytes.
    return copyOf(pkcs8.subarray(pkcs8.length - 32));
  }
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const sec1 = key.export({ type: "sec1", format: "der" });
  // SEQUENCE { INTEGER 1, OCTET STRING d, … }: a length over 127 takes a second byte.
  const versionAt = (sec1[1] ?? 0) < 0x80 ? 2 : 3;
  const scalarAt = versionAt + 5;
  const secret = copyOf(sec1.subarray(scalarAt, scalarAt + (sec1[scalarAt - 1] ?? 0)));
  sec1.fill(0);
  return secret;
}

function copyOf(bytes: Bytes): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The bits inside an SPKI key: an uncompressed point, or the key itself. */
function publicPoint(spki: Bytes): Bytes {
  // Also checks the form; the bits are the last member: BIT STRING with no unused bits.
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const der = key.export({ type: "spki", format: "der" });
  let at = lengthEnd(der, 1);
  at = lengthEnd(der, at + 1) + lengthAt(der, at + 1);
  return der.subarray(lengthEnd(der, at + 1) + 1);
}

/** DER length that begins at `at`. */
function lengthAt(der: Bytes, at: number): number {
  const first = der[at] ?? 0;
  if (first < 0x80) return first;
  let length = 0;
  for (let index = 1; index <= (first & 0x7f); index += 1) {
    length = length * 256 + (der[at + index] ?? 0);
  }
  return length;
}

function lengthEnd(der: Bytes, at: number): number {
  const first = der[at] ?? 0;
  return at + 1 + (first < 0x80 ? 0 : first & 0x7f);
}
