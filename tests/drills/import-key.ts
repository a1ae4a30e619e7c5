import { createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import type { KMS } from "@aws-sdk/client-kms";

/** A key with imported material, which expires if a time is given. */
export async function importKey(kms: KMS, ValidTo?: Date): Promise<string> {
  const { KeyMetadata } = await kms.createKey({ Origin: "EXTERNAL" });
  const KeyId = KeyMetadata?.KeyId ?? "";
  const { PublicKey, ImportToken } = await kms.getParametersForImport({
    KeyId,
    WrappingAlgorithm: "RSAES_OAEP_SHA_256",
    WrappingKeySpec: "RSA_2048",
  });
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  const EncryptedKeyMaterial = publicEncrypt({ key, oaepHash: "sha256" }, randomBytes(32));
  const ExpirationModel = ValidTo ? "KEY_MATERIAL_EXPIRES" : "KEY_MATERIAL_DOES_NOT_EXPIRE";
  const material = { KeyId, ImportToken, EncryptedKeyMaterial };
  await kms.importKeyMaterial({ ...material, ExpirationModel, ValidTo });
  return KeyId;
}
