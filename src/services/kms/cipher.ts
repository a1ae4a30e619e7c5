import type { Call } from "../../kernel/call.ts";
import { keyForm, oaepPlaintextBytesMax } from "../../kernel/key-specs.ts";
import type { CryptoRequest, EncryptionContext } from "../../kernel/keyvault.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { type FoundKey, foundKey } from "./found.ts";
import { requireAlgorithm, requireUsage } from "./key-specs.ts";
import { currentMaterial, identityOf, keyArn, wrappedMaterial } from "./keys.ts";
import { type HiddenKey, locateKey, rememberedKey, rememberKey } from "./locate.ts";
import { incorrectKey, invalidCiphertext, unknownCiphertextKey, validation } from "./refusals.ts";
import { type KeyRecord, keys, type MaterialRecord } from "./store.ts";

/** Symmetric blobs name their key; a KeyId in the request is a check on top. */
export interface BlobQuestion {
  readonly blob: Uint8Array;
  readonly keyId: string | undefined;
  readonly action: string;
}

/** How one side of an Encrypt, Decrypt or ReEncrypt asks for a key to be used. */
export interface CipherQuestion {
  readonly algorithm: string;
  readonly context: EncryptionContext | undefined;
}

/**
 * The key that a ciphertext belongs to: the one that the request names, else the one that the blob
 * names.
 *
 * Throws InvalidCiphertextException for a blob that is none, AccessDeniedException where the blob
 * names a key that the caller's account does not have (any more) in this region.
 */
export function locateBlobKey(
  dependencies: KmsDependencies,
  call: Call,
  question: BlobQuestion,
): Soon<FoundKey | HiddenKey> {
  const { keyId, blob } = question;
  if (keyId !== undefined) return locateKey(dependencies, call, keyId);
  return soon(lookUpBlobKey(dependencies, call, question), (located) =>
    rememberKey(call, blob, located),
  );
}

function lookUpBlobKey(
  dependencies: KmsDependencies,
  call: Call,
  { blob, action }: BlobQuestion,
): Soon<FoundKey | HiddenKey> {
  const identity = dependencies.vault.identify(blob);
  if (!identity) throw invalidCiphertext();
  const { accountId, keyId } = identity;
  const scope = { accountId, region: call.region };
  return soon(keys.get(call.records, scope, keyId), (key) => {
    if (key) return foundKey(call, key);
    if (accountId === call.accountId) throw unknownCiphertextKey(action);
    return { found: false, arn: keyArn({ ...scope, keyId }), accountId };
  });
}

/** As `locateBlobKey`, after authorisation. */
export function requireBlobKey(
  dependencies: KmsDependencies,
  call: Call,
  question: BlobQuestion,
): Soon<FoundKey> {
  const known = rememberedKey(call, question.keyId ?? question.blob);
  return soon(known ?? locateBlobKey(dependencies, call, question), (located) => {
    if (!located.found) throw unknownCiphertextKey(question.action);
    return located;
  });
}

/**
 * Throws InvalidKeyUsageException for a key or algorithm of another kind, ValidationException for
 * an encryption context on a key that has none.
 */
export function requireCipher(
  key: Readonly<KeyRecord>,
  operation: string,
  { algorithm, context }: CipherQuestion,
): void {
  requireUsage(key, "ENCRYPT_DECRYPT", operation);
  requireAlgorithm(key, algorithm);
  const isSymmetric = key.keySpec === "SYMMETRIC_DEFAULT";
  if (!isSymmetric && Object.keys(context ?? {}).length > 0) {
    // AWS?: no recorded text.
    throw validation("EncryptionContext is valid only with symmetric encryption KMS keys.");
  }
}

/** Throws ValidationException for what is too long for an RSA key. */
export function requirePlaintextFits(
  key: Readonly<KeyRecord>,
  algorithm: string,
  plaintext: Uint8Array,
): void {
  const form = keyForm(key.keySpec);
  if (form.family !== "rsa") return;
  if (plaintext.length > oaepPlaintextBytesMax(form.bits, algorithm)) {
    throw plaintextTooLong(key, algorithm);
  }
}

export function plaintextTooLong(key: Readonly<KeyRecord>, algorithm: string) {
  const form = keyForm(key.keySpec);
  const bytesMax = form.family === "rsa" ? oaepPlaintextBytesMax(form.bits, algorithm) : 4096;
  return validation(
    `Algorithm ${algorithm} and key spec ${key.keySpec} cannot encrypt data larger than ` +
      `${bytesMax} bytes.`,
  );
}

/** What the vault needs to seal under the key's present material. */
export function sealingRequest(key: Readonly<KeyRecord>, question: CipherQuestion): CryptoRequest {
  return cipherRequest(key, currentMaterial(key), question);
}

/** What the vault needs to open a blob. */
export interface Opening {
  readonly request: CryptoRequest;
  /** Of symmetric keys: AWS shows it. */
  readonly materialId: string | undefined;
}

/**
 * Finds the material that a blob was sealed under.
 *
 * Throws InvalidCiphertextException (broken blob, material that is not there any more) and
 * IncorrectKeyException (another key's blob).
 */
export function openingRequest(
  dependencies: KmsDependencies,
  key: Readonly<KeyRecord>,
  blob: Uint8Array,
  question: CipherQuestion,
): Opening {
  if (key.keySpec !== "SYMMETRIC_DEFAULT") {
    return { request: sealingRequest(key, question), materialId: undefined };
  }
  const identity = dependencies.vault.identify(blob);
  if (!identity) throw invalidCiphertext();
  if (identity.keyId !== key.keyId || identity.accountId !== key.accountId) throw incorrectKey();
  const material = key.materials.find((entry) => entry.materialId === identity.materialId);
  if (material?.wrapped === undefined) throw invalidCiphertext();
  return { request: cipherRequest(key, material, question), materialId: material.materialId };
}

function cipherRequest(
  key: Readonly<KeyRecord>,
  material: Readonly<MaterialRecord>,
  { algorithm, context }: CipherQuestion,
): CryptoRequest {
  const request = { ...identityOf(key), material: wrappedMaterial(material) };
  if (key.keySpec === "SYMMETRIC_DEFAULT") return { ...request, context: context ?? {} };
  return { ...request, context: {}, rsa: { keySpec: key.keySpec, algorithm } };
}

/** Material id of symmetric keys as the audit and answers show it. */
export function shownMaterialId(key: Readonly<KeyRecord>): string | undefined {
  return key.keySpec === "SYMMETRIC_DEFAULT" ? currentMaterial(key).materialId : undefined;
}
