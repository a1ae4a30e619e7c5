/** What kinds of KMS keys there are, and what each can do. AWS: developer guide, key specs. */
export type KeySpec =
  | "SYMMETRIC_DEFAULT"
  | "HMAC_224"
  | "HMAC_256"
  | "HMAC_384"
  | "HMAC_512"
  | "RSA_2048"
  | "RSA_3072"
  | "RSA_4096"
  | "ECC_NIST_P256"
  | "ECC_NIST_P384"
  | "ECC_NIST_P521"
  | "ECC_SECG_P256K1"
  | "ECC_NIST_EDWARDS25519"
  | "ML_DSA_44"
  | "ML_DSA_65"
  | "ML_DSA_87";

export type KeyUsage = "ENCRYPT_DECRYPT" | "SIGN_VERIFY" | "GENERATE_VERIFY_MAC" | "KEY_AGREEMENT";
export type HashName = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";
export type MessageType = "RAW" | "DIGEST" | "EXTERNAL_MU";

/** How the material of a spec is made. */
export type KeyForm =
  | { readonly family: "symmetric"; readonly bytes: number }
  | { readonly family: "hmac"; readonly bytes: number; readonly hash: HashName }
  | { readonly family: "rsa"; readonly bits: number }
  | { readonly family: "ec"; readonly curve: string; readonly hash: HashName }
  | { readonly family: "ed25519" }
  | { readonly family: "ml-dsa"; readonly type: "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87" };

const forms: Readonly<Record<KeySpec, KeyForm>> = {
  SYMMETRIC_DEFAULT: { family: "symmetric", bytes: 32 },
  HMAC_224: { family: "hmac", bytes: 28, hash: "sha224" },
  HMAC_256: { family: "hmac", bytes: 32, hash: "sha256" },
  HMAC_384: { family: "hmac", bytes: 48, hash: "sha384" },
  HMAC_512: { family: "hmac", bytes: 64, hash: "sha512" },
  RSA_2048: { family: "rsa", bits: 2048 },
  RSA_3072: { family: "rsa", bits: 3072 },
  RSA_4096: { family: "rsa", bits: 4096 },
  ECC_NIST_P256: { family: "ec", curve: "prime256v1", hash: "sha256" },
  ECC_NIST_P384: { family: "ec", curve: "secp384r1", hash: "sha384" },
  ECC_NIST_P521: { family: "ec", curve: "secp521r1", hash: "sha512" },
  ECC_SECG_P256K1: { family: "ec", curve: "secp256k1", hash: "sha256" },
  ECC_NIST_EDWARDS25519: { family: "ed25519" },
  ML_DSA_44: { family: "ml-dsa", type: "ml-dsa-44" },
  ML_DSA_65: { family: "ml-dsa", type: "ml-dsa-65" },
  ML_DSA_87: { family: "ml-dsa", type: "ml-dsa-87" },
};

export const keySpecNames = Object.keys(forms) as readonly KeySpec[];

export function isKeySpec(text: string): text is KeySpec {
  return Object.hasOwn(forms, text);
}

export function keyForm(spec: KeySpec): KeyForm {
  return forms[spec];
}

const rsaSigning = [
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
] as const;
const rsaEncryption = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] as const;
const ecdsa = {
  sha256: "ECDSA_SHA_256",
  sha384: "ECDSA_SHA_384",
  sha512: "ECDSA_SHA_512",
} as const;

/** Algorithms of a key; none: the usage is not one of this spec. */
export function algorithmsOf(spec: KeySpec, usage: string): readonly string[] {
  const form = keyForm(spec);
  switch (form.family) {
    case "symmetric":
      return usage === "ENCRYPT_DECRYPT" ? ["SYMMETRIC_DEFAULT"] : [];
    case "hmac":
      return usage === "GENERATE_VERIFY_MAC" ? [`HMAC_SHA_${form.bytes * 8}`] : [];
    case "rsa":
      if (usage === "SIGN_VERIFY") return rsaSigning;
      return usage === "ENCRYPT_DECRYPT" ? rsaEncryption : [];
    case "ec":
      if (usage === "SIGN_VERIFY") return [ecdsa[form.hash as keyof typeof ecdsa]];
      // AWS: secp256k1 signs only.
      return usage === "KEY_AGREEMENT" && spec !== "ECC_SECG_P256K1" ? ["ECDH"] : [];
    case "ed25519":
      return usage === "SIGN_VERIFY" ? ["ED25519_SHA_512", "ED25519_PH_SHA_512"] : [];
    case "ml-dsa":
      return usage === "SIGN_VERIFY" ? ["ML_DSA_SHAKE_256"] : [];
  }
}

/** Hash at the end of an algorithm's name: `RSASSA_PSS_SHA_256` → `sha256`. */
export function hashOf(algorithm: string): HashName {
  const digits = algorithm.slice(algorithm.lastIndexOf("_") + 1);
  return `sha${digits}` as HashName;
}

const hashBytes = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const;

export function hashBytesOf(hash: HashName): number {
  return hashBytes[hash];
}

/** Longest plaintext of RSAES-OAEP in bytes (RFC 8017 §7.1.1): 190 for RSA_2048 and SHA-256. */
export function oaepPlaintextBytesMax(bits: number, algorithm: string): number {
  return bits / 8 - 2 * hashBytesOf(hashOf(algorithm)) - 2;
}
