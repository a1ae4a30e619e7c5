import type { Call } from "../../kernel/call.ts";
import type { EncryptionContext, WrappedMaterial } from "../../kernel/keyvault.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { currentMaterial, identityOf, keyArn, wrappedMaterial } from "./keys.ts";
import { type FoundKey, type HiddenKey, locateKey } from "./locate.ts";
import { incorrectKey, invalidCiphertext, refuse, unknownCiphertextKey } from "./refusals.ts";
import { type KeyRecord, keys } from "./store.ts";

/** Symmetric blobs name their key; a KeyId in the request is a check on top. */
export interface BlobQuestion {
  readonly blob: Uint8Array;
  readonly keyId: string | undefined;
  readonly action: string;
}

/**
 * The key that a ciphertext belongs to: the one that the request names, else the one that the blob
 * names.
 *
 * Throws InvalidCiphertextException for a blob that is none, AccessDeniedException where the blob
 * names a key that the caller's account does not have (any more) in this region.
 */
export async function locateBlobKey(
  dependencies: KmsDependencies,
  call: Call,
  question: BlobQuestion,
): Promise<FoundKey | HiddenKey> {
  if (question.keyId !== undefined) return locateKey(dependencies, call, question.keyId);
  const identity = dependencies.vault.identify(question.blob);
  if (!identity) throw invalidCiphertext();
  const scope = { accountId: identity.accountId, region: call.region };
  const key = await keys.get(call.records, scope, identity.keyId);
  if (key) return { found: true, key, arn: keyArn(key), requestAlias: undefined };
  if (identity.accountId === call.accountId) throw unknownCiphertextKey(question.action);
  const arn = keyArn({ ...scope, keyId: identity.keyId });
  return { found: false, arn, accountId: identity.accountId };
}

/** As `locateBlobKey`, after authorisation. */
export async function requireBlobKey(
  dependencies: KmsDependencies,
  call: Call,
  question: BlobQuestion,
): Promise<FoundKey> {
  const located = await locateBlobKey(dependencies, call, question);
  if (!located.found) throw unknownCiphertextKey(question.action);
  return located;
}

/** A plaintext and the material that had sealed it. The receiver wipes or returns it. */
export interface OpenedBlob {
  readonly plaintext: Buffer;
  readonly materialId: string;
}

/**
 * Opens a blob with one key, under any of its materials.
 *
 * Throws InvalidCiphertextException (broken blob, other context) and IncorrectKeyException (another
 * key's blob).
 */
export async function openBlob(
  dependencies: KmsDependencies,
  key: Readonly<KeyRecord>,
  blob: Uint8Array,
  context: EncryptionContext | undefined,
): Promise<OpenedBlob> {
  const identity = dependencies.vault.identify(blob);
  if (!identity) throw invalidCiphertext();
  if (identity.keyId !== key.keyId || identity.accountId !== key.accountId) throw incorrectKey();
  const material = key.materials.find((entry) => entry.materialId === identity.materialId);
  if (!material) throw invalidCiphertext();
  const plaintext = await dependencies.vault.decrypt({
    ...identityOf(key),
    material: wrappedMaterial(material),
    context: context ?? {},
    blob,
  });
  if (!plaintext) throw invalidCiphertext();
  return { plaintext, materialId: identity.materialId };
}

/** What the vault needs to seal under the key's present material. */
export function sealingRequest(
  key: Readonly<KeyRecord>,
  context: EncryptionContext | undefined,
): { accountId: string; keyId: string; material: WrappedMaterial; context: EncryptionContext } {
  const material = wrappedMaterial(currentMaterial(key));
  return { ...identityOf(key), material, context: context ?? {} };
}

/** Symmetric keys know one algorithm. Throws InvalidKeyUsageException for another. */
export function requireAlgorithm(key: Readonly<KeyRecord>, algorithm: string | undefined): void {
  if (algorithm !== undefined && algorithm !== "SYMMETRIC_DEFAULT") {
    throw refuse(
      "InvalidKeyUsageException",
      `Algorithm ${algorithm} is incompatible with key spec ${key.keySpec}.`,
    );
  }
}
