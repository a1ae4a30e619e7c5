import type { CreateKeyRequest } from "@aws-sdk/client-kms";
import type { Wire } from "../../kernel/wire-types.ts";
import { notAvailable, validation } from "./refusals.ts";

const signing = ["SIGN_VERIFY"];
const signingOrAgreement = ["SIGN_VERIFY", "KEY_AGREEMENT"];
const rsa = ["ENCRYPT_DECRYPT", "SIGN_VERIFY"];
const mac = ["GENERATE_VERIFY_MAC"];

/** Usages that AWS offers for each key spec. */
const usages: ReadonlyMap<string, readonly string[]> = new Map([
  ["SYMMETRIC_DEFAULT", ["ENCRYPT_DECRYPT"]],
  ["HMAC_224", mac],
  ["HMAC_256", mac],
  ["HMAC_384", mac],
  ["HMAC_512", mac],
  ["RSA_2048", rsa],
  ["RSA_3072", rsa],
  ["RSA_4096", rsa],
  ["ECC_NIST_P256", signingOrAgreement],
  ["ECC_NIST_P384", signingOrAgreement],
  ["ECC_NIST_P521", signingOrAgreement],
  ["ECC_SECG_P256K1", signing],
  ["ECC_NIST_EDWARDS25519", signing],
  ["ML_DSA_44", signing],
  ["ML_DSA_65", signing],
  ["ML_DSA_87", signing],
  ["SM2", ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"]],
]);

/**
 * Checks what kind of key a CreateKey asks for.
 *
 * Throws ValidationException for what AWS refuses too, UnsupportedOperationException for what AWS
 * has and this server does not yet.
 */
export function requireSupportedKey(input: Wire<CreateKeyRequest>): void {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage, Origin } = input;
  if (KeySpec && CustomerMasterKeySpec && KeySpec !== CustomerMasterKeySpec) {
    // AWS?: no recorded text.
    throw validation("You cannot specify different values for KeySpec and CustomerMasterKeySpec.");
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  if (spec !== "SYMMETRIC_DEFAULT" && KeyUsage === undefined) {
    throw validation(
      "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
  }
  const usage = KeyUsage ?? "ENCRYPT_DECRYPT";
  if (!usages.get(spec)?.includes(usage)) {
    throw validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  if (spec !== "SYMMETRIC_DEFAULT") throw notAvailable(`KeySpec ${spec}`);
  if (Origin !== undefined && Origin !== "AWS_KMS") throw notAvailable(`Origin ${Origin}`);
  if (input.CustomKeyStoreId !== undefined) throw notAvailable("CustomKeyStoreId");
  if (input.XksKeyId !== undefined) throw notAvailable("XksKeyId");
  if (input.MultiRegion === true) throw notAvailable("MultiRegion");
}
