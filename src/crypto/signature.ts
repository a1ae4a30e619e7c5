import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { promisify } from "node:util";
import { assert } from "../kernel/errors.ts";
import {
  type HashName,
  hashBytesOf,
  hashOf,
  type KeySpec,
  keyForm,
  oaepPlaintextBytesMax,
} from "../kernel/key-specs.ts";
import type { SignatureQuestion } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { namesCurve } from "./named-curve.ts";
import { pssEncode, pssHolds } from "./pss.ts";

/** What one signature is about: everything but the key's bytes. */
export interface SigningQuestion extends SignatureQuestion {
  readonly keySpec: KeySpec;
}

const signAside = promisify(sign);
const verifyAside = promisify(verify);

/** Whether OpenSSL answers this; digests of elliptic curves and external mu need other means. */
export function isNative({ keySpec, messageType }: SigningQuestion): boolean {
  return messageType === "RAW" || keyForm(keySpec).family === "rsa";
}

/**
 * Signs on the thread pool. AWS: PSS salts are as long as the hash,
 * ECDSA signatures are DER, ML-DSA signs with an empty context.
 */
export async function signNative(
  question: SigningQuestion,
  key: KeyObject,
  random: Random,
): Promise<Buffer> {
  const { algorithm, messageType, message } = question;
  if (messageType === "RAW") {
    return signAside(digestOf(question), message, { key, ...paddingOf(algorithm) });
  }
  const name = hashOf(algorithm);
  if (!isPss(algorithm)) {
    const padding = constants.RSA_PKCS1_PADDING;
    return privateEncrypt({ key, padding }, digestInfo(name, message));
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const encoded = pssEncode(name, message, bits, random.bytes(hashBytesOf(name)));
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

/** Whether the signature holds under a public key (SPKI DER). A malformed one does not. */
export async function verifyNative(
  question: SigningQuestion,
  publicKey: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key = publicKeyOf(publicKey);
  const { algorithm, messageType, message } = question;
  // OpenSSL takes an RSA signature without its leading zeros; RFC 8017 wants the modulus' length.
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && signature.length !== Math.ceil(bits / 8)) return false;
  if (messageType === "RAW") {
    const asked = { key, ...paddingOf(algorithm) };
    return verifyAside(digestOf(question), message, asked, signature);
  }
  const name = hashOf(algorithm);
  try {
    if (!isPss(algorithm)) {
      const padding = constants.RSA_PKCS1_PADDING;
      const opened = publicDecrypt({ key, padding }, signature);
      const expected = digestInfo(name, message);
      return opened.length === expected.length && timingSafeEqual(opened, expected);
    }
    const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
    return pssHolds(name, message, bits ?? 0, encoded);
  } catch {
    return false;
  }
}

/** RSAES-OAEP under the public half. undefined: the plaintext is too long for the key. */
export function encryptRsa(
  keySpec: KeySpec,
  algorithm: string,
  publicKey: Uint8Array,
  plaintext: Uint8Array,
): Buffer | undefined {
  const form = keyForm(keySpec);
  assert(form.family === "rsa", "only RSA keys encrypt with OAEP");
  if (plaintext.length > oaepPlaintextBytesMax(form.bits, algorithm)) return undefined;
  return publicEncrypt({ key: publicKeyOf(publicKey), ...oaep(algorithm) }, plaintext);
}

/** undefined: not a ciphertext of this key and algorithm; why is nobody's business. */
export function decryptRsa(
  algorithm: string,
  privateKey: Uint8Array,
  ciphertext: Uint8Array,
): Buffer | undefined {
  const key = privateKeyOf(privateKey);
  try {
    return privateDecrypt({ key, ...oaep(algorithm) }, ciphertext);
  } catch {
    return undefined;
  }
}

/** HMAC with the hash of the key's spec. */
export function macOf(keySpec: KeySpec, key: Uint8Array, message: Uint8Array): Buffer {
  const form = keyForm(keySpec);
  assert(form.family === "hmac", "only HMAC keys make MACs");
  return createHmac(form.hash, key).update(message).digest();
}

/** Raw X coordinate; undefined if the other key is none, or of another curve. */
export function agreeOn(privateKey: Uint8Array, otherSpki: Uint8Array): Buffer | undefined {
  const own = privateKeyOf(privateKey);
  try {
    const other = publicKeyOf(otherSpki);
    const curve = own.asymmetricKeyDetails?.namedCurve;
    if (other.asymmetricKeyType !== "ec") return undefined;
    if (other.asymmetricKeyDetails?.namedCurve !== curve) return undefined;
    if (!namesCurve(otherSpki, curve ?? "")) return undefined;
    return diffieHellman({ privateKey: own, publicKey: other });
  } catch {
    return undefined;
  }
}

/** From PKCS #8 DER. */
export function privateKeyOf(pkcs8: Uint8Array): KeyObject {
  return createPrivateKey({ key: asBuffer(pkcs8), format: "der", type: "pkcs8" });
}

function publicKeyOf(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: asBuffer(spki), format: "der", type: "spki" });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function digestOf({ algorithm, keySpec }: SigningQuestion): string | null {
  const { family } = keyForm(keySpec);
  return family === "ed25519" || family === "ml-dsa" ? null : hashOf(algorithm);
}

function isPss(algorithm: string): boolean {
  return algorithm.startsWith("RSASSA_PSS_");
}

function paddingOf(algorithm: string): object {
  if (!isPss(algorithm)) return {};
  return {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
}

function oaep(algorithm: string): { padding: number; oaepHash: HashName } {
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashOf(algorithm) };
}

/** RFC 8017 §9.2: what stands before the hash in a PKCS #1 v1.5 signature. */
const digestInfoHeads: Partial<Record<HashName, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

function digestInfo(name: HashName, digest: Uint8Array): Buffer {
  const head = digestInfoHeads[name];
  assert(head !== undefined, "a signature has a hash of SHA-2");
  return Buffer.concat([Buffer.from(head, "hex"), digest]);
}
