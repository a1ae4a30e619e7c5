/** Files that a seal must reach, so that the key process may be kept from all others. */
export interface SealReach {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/**
 * What is stored beside the sealed ring, in the same commit. It reveals nothing without the seal:
 * the root key in it, where there is one, is wrapped. Binary members are base64.
 */
export type StoredSeal =
  | { readonly kind: "file" }
  | { readonly kind: "env" }
  | StoredPassphraseSeal
  | StoredPkcs11Seal
  | StoredAwsKmsSeal;

export interface StoredPassphraseSeal {
  readonly kind: "passphrase";
  /** Argon2id (RFC 9106). */
  readonly salt: string;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly nonce: string;
  readonly sealedRoot: string;
}

export interface StoredPkcs11Seal {
  readonly kind: "pkcs11";
  readonly tokenLabel: string;
  readonly keyLabel: string;
  readonly nonce: string;
  readonly sealedRoot: string;
}

export interface StoredAwsKmsSeal {
  readonly kind: "aws-kms";
  /** Ciphertext of the other KMS. */
  readonly blob: string;
  /** Value of the encryption context `sealpost:installation`. */
  readonly installation: string;
}
