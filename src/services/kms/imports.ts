import type { ImportKeyMaterialRequest } from "@aws-sdk/client-kms";
import type { ImportedMaterial, ImportRefusal } from "../../kernel/keyvault.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { dayMs, keyArn, materialRecord } from "./keys.ts";
import { isPrimary, isWholeKey } from "./multi-region.ts";
import { invalidCiphertext, notAvailable, refuse, validation } from "./refusals.ts";
import { wrongOrigin } from "./rotation.ts";
import type { KeyRecord, MaterialRecord } from "./store.ts";

/** AWS: the parameters of an import are good for a day. */
export const parametersValidMs = dayMs;
const validToMsMax = 365 * dayMs;

/** Throws UnsupportedOperationException for a key with material of its own. */
export function requireExternal(key: Readonly<KeyRecord>): void {
  if (key.origin !== "EXTERNAL") throw wrongOrigin(key);
}

/**
 * Throws for a wrapping that AWS has withdrawn, that is not offered, or that the key cannot use.
 */
export function requireWrapping(
  key: Readonly<KeyRecord>,
  algorithm: string,
  wrappingSpec: string,
): void {
  // AWS?: texts.
  if (algorithm === "RSAES_PKCS1_V1_5") {
    throw refuse("UnsupportedOperationException", "RSAES_PKCS1_V1_5 is no longer supported.");
  }
  if (algorithm === "SM2PKE") throw notAvailable("WrappingAlgorithm SM2PKE");
  if (wrappingSpec === "SM2") throw notAvailable("WrappingKeySpec SM2");
  if (algorithm.startsWith("RSA_AES_KEY_WRAP")) return;
  const tooLong =
    key.keySpec.startsWith("RSA_") ||
    key.keySpec.startsWith("ML_DSA_") ||
    (key.keySpec === "ECC_NIST_P521" && wrappingSpec === "RSA_2048");
  if (!tooLong) return;
  throw validation(
    `WrappingAlgorithm ${algorithm} with WrappingKeySpec ${wrappingSpec} is not valid for ` +
      `key material of ${key.keySpec}.`,
  );
}

/** When the material expires; undefined: never. Throws ValidationException. */
export function requestedExpiry(
  input: Wire<ImportKeyMaterialRequest>,
  nowMs: number,
): number | undefined {
  const { ValidTo: validTo } = input;
  if (input.ExpirationModel === "KEY_MATERIAL_DOES_NOT_EXPIRE") {
    if (validTo === undefined) return undefined;
    // AWS?: texts of this and of the bounds below.
    throw validation(
      "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
    );
  }
  if (validTo === undefined) {
    throw validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
  }
  if (validTo <= nowMs) throw validation("The validTo date must be in the future.");
  if (validTo > nowMs + validToMsMax) {
    throw validation("The validTo date must be within 365 days.");
  }
  return validTo;
}

/** AWS's error for an import that the vault refused. */
export function importRefused({ outcome }: ImportRefusal) {
  switch (outcome) {
    case "token-invalid":
      return refuse("InvalidImportTokenException", "The import token is not valid for this key.");
    case "token-expired":
      return refuse("ExpiredImportTokenException", "The import token has expired.");
    case "undecryptable":
      return invalidCiphertext();
    case "wrong-material":
      return refuse(
        "IncorrectKeyMaterialException",
        "The key material is not of the kind that the key's KeySpec asks for.",
      );
  }
}

/**
 * The key after an import.
 *
 * Throws IncorrectKeyMaterialException for material that may not come in, KMSInvalidStateException
 * for a second one that waits for its rotation.
 */
export function withImported(
  key: Readonly<KeyRecord>,
  imported: ImportedMaterial,
  input: Wire<ImportKeyMaterialRequest>,
  nowMs: number,
): KeyRecord {
  const { materialId } = imported;
  const known = key.materials.find((material) => material.materialId === materialId);
  requireFitting(key, known, materialId, input);
  const expiresMs = requestedExpiry(input, nowMs);
  const description = input.KeyMaterialDescription ?? known?.description;
  const { expiresMs: _, ...before } = known ?? { pending: key.materials.length > 0 };
  const { pending, ...rest } = before;
  const material: MaterialRecord = {
    ...materialRecord(imported, nowMs),
    ...rest,
    wrapped: Buffer.from(imported.wrapped).toString("base64"),
    ...(pending === true && { pending }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(description !== undefined && { description }),
  };
  const materials = known
    ? key.materials.map((entry) => (entry === known ? material : entry))
    : [...key.materials, material];
  const after = { ...key, materials };
  const opens = key.state === "PendingImport" && isWholeKey(after);
  return opens ? { ...after, state: "Enabled" } : after;
}

function requireFitting(
  key: Readonly<KeyRecord>,
  known: Readonly<MaterialRecord> | undefined,
  materialId: string,
  input: Wire<ImportKeyMaterialRequest>,
): void {
  const isFirst = key.materials.length === 0;
  const isReplica = key.multiRegion !== undefined && !isPrimary(key);
  const type = input.ImportType ?? (isFirst ? "NEW_KEY_MATERIAL" : "EXISTING_KEY_MATERIAL");
  const other = input.KeyMaterialId !== undefined && input.KeyMaterialId !== materialId;
  if (other) throw incorrectMaterial();
  if (known !== undefined) {
    if (type === "NEW_KEY_MATERIAL" && !isFirst && known.wrapped !== undefined) {
      throw incorrectMaterial();
    }
    return;
  }
  if (isFirst && !isReplica) return;
  const mayGrow = key.keySpec === "SYMMETRIC_DEFAULT" && !isReplica;
  if (type !== "NEW_KEY_MATERIAL" || !mayGrow) throw incorrectMaterial();
  const pending = key.materials.find((material) => material.pending === true);
  if (!pending) return;
  throw refuse(
    "KMSInvalidStateException",
    `New key material (id: ${materialId}) cannot be imported into KMS key ${keyArn(key)}, ` +
      `because another key material (id: ${pending.materialId}) is pending rotation.`,
  );
}

function incorrectMaterial() {
  // AWS?: no recorded text.
  return refuse(
    "IncorrectKeyMaterialException",
    "The key material in the request is not the key material that was previously imported.",
  );
}

/** The key without the bytes of one material: what is left of it is its name. */
export function withoutMaterial(key: Readonly<KeyRecord>, materialId: string): KeyRecord {
  const materials: MaterialRecord[] = [];
  for (const material of key.materials) {
    if (material.materialId !== materialId) materials.push(material);
    // What never encrypted anything leaves no trace.
    else if (material.pending !== true) {
      const { wrapped: _, expiresMs: __, ...name } = material;
      materials.push(name);
    }
  }
  const after = { ...key, materials };
  const usable = key.state === "Enabled" || key.state === "Disabled";
  return usable && !isWholeKey(after) ? { ...after, state: "PendingImport" } : after;
}
