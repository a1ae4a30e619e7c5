import { createCipheriv, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import type { KeySpec, KeyUsageType, KMS } from "@aws-sdk/client-kms";

const keyWrapPadIv = Buffer.from("a65959a6", "hex");

/** Where material for one key may be sent, as often as one likes, for a day. */
export interface ImportTarget {
  readonly KeyId: string;
  /** Wraps an AES key as this server wants it: the first half of what is sent. */
  wrapAesKey(aesKey: Uint8Array): Buffer;
  /** Sends what follows the wrapped AES key. */
  send(aesKey: Uint8Array, wrapped: Uint8Array): Promise<unknown>;
}

/** A key without material, and one wrapping key for it. What is sent expires if a time is given. */
export async function importTarget(
  kms: KMS,
  KeySpec: KeySpec,
  KeyUsage: KeyUsageType,
  ValidTo?: Date,
): Promise<ImportTarget> {
  const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage, Origin: "EXTERNAL" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { PublicKey, ImportToken } = await kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  const wrapAesKey = (aesKey: Uint8Array) => publicEncrypt({ key, oaepHash: "sha256" }, aesKey);
  return {
    KeyId,
    wrapAesKey,
    send: (aesKey, wrapped) =>
      kms.importKeyMaterial({
        KeyId,
        ImportToken,
        EncryptedKeyMaterial: Buffer.concat([wrapAesKey(aesKey), wrapped]),
        ExpirationModel: ValidTo ? "KEY_MATERIAL_EXPIRES" : "KEY_MATERIAL_DOES_NOT_EXPIRE",
        ValidTo,
      }),
  };
}

/** A fresh AES key, and material wrapped by it. */
export function wrapMaterial(material: Uint8Array): readonly [aesKey: Buffer, wrapped: Buffer] {
  const aesKey = randomBytes(32);
  const cipher = createCipheriv("aes256-wrap-pad", aesKey, keyWrapPadIv);
  return [aesKey, Buffer.concat([cipher.update(material), cipher.final()])];
}

/** A key with this material: raw bytes of a secret key, PKCS #8 DER of a private one. */
export async function importedKey(
  kms: KMS,
  KeySpec: KeySpec,
  KeyUsage: KeyUsageType,
  material: Uint8Array,
  ValidTo?: Date,
): Promise<string> {
  const target = await importTarget(kms, KeySpec, KeyUsage, ValidTo);
  await target.send(...wrapMaterial(material));
  return target.KeyId;
}

/** A symmetric key with material that nobody else has, which expires if a time is given. */
export function importedSymmetricKey(kms: KMS, ValidTo?: Date): Promise<string> {
  return importedKey(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", randomBytes(32), ValidTo);
}
