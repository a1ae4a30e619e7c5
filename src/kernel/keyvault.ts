import type { KeySpec, MessageType } from "./key-specs.ts";

/**
 * Operations that touch key material, behind one asynchronous port: the material lives in the key
 * process (later perhaps in an HSM) and never comes back in the clear. Callers hold it wrapped.
 */
export interface KeyVault {
  /** New random material; of a symmetric key unless told otherwise. The id is 64 hex digits. */
  createMaterial(request: KeyIdentity & { readonly keySpec?: KeySpec }): Promise<WrappedMaterial>;
  /** Reads which key sealed a blob, from its clear header; undefined: not one of ours. */
  identify(blob: Uint8Array): (KeyIdentity & { readonly materialId: string }) | undefined;
  encrypt(request: CryptoRequest & { plaintext: Uint8Array }): Promise<Buffer>;
  /** undefined: the blob or its context is not what this material sealed. */
  decrypt(request: CryptoRequest & { blob: Uint8Array }): Promise<Buffer | undefined>;
  /** Opens under one key and seals under another; the plaintext never leaves the vault. */
  reEncrypt(
    source: CryptoRequest & { blob: Uint8Array },
    destination: CryptoRequest,
  ): Promise<Buffer | "unopened" | "too-long">;
  /** `lengthBytes` fresh random bytes, in the clear and sealed. */
  generateDataKey(request: CryptoRequest & { lengthBytes: number }): Promise<FreshDataKey>;
  /** A fresh key pair: public SPKI, private PKCS #8 sealed and, if asked for, in the clear. */
  generateKeyPair(request: CryptoRequest & KeyPairQuestion): Promise<FreshKeyPair>;
  sign(request: KeyUse & SignatureQuestion): Promise<Buffer>;
  /** Whether `signature` is one of the key's over the message; for what cannot be one, false. */
  verify(request: KeyUse & SignatureQuestion & { signature: Uint8Array }): Promise<boolean>;
  mac(request: KeyUse & { message: Uint8Array }): Promise<Buffer>;
  /** Compared in constant time, in the vault. */
  verifyMac(
    request: KeyUse & { readonly message: Uint8Array; readonly mac: Uint8Array },
  ): Promise<boolean>;
  /** ECDH: the raw X coordinate; undefined if `publicKey` is no SPKI of the same curve. */
  agree(request: KeyUse & { publicKey: Uint8Array }): Promise<Buffer | undefined>;
  /** A wrapping key for one import: what the customer wraps to, and a token that remembers it. */
  importParameters(request: ImportParametersRequest): Promise<ImportParameters>;
  importMaterial(request: ImportMaterialRequest): Promise<ImportedMaterial | ImportRefusal>;
  /** Drops an unwrapped copy at once (key deleted, material expired). */
  forget(materialId: string): Promise<void>;
}

export interface WrappedMaterial {
  readonly materialId: string;
  /** Sealed by the ring; only the key process can open it. */
  readonly wrapped: Uint8Array;
  /** SPKI DER, of key pairs. */
  readonly publicKey?: Uint8Array;
}

export interface KeyIdentity {
  readonly accountId: string;
  /** Bare key id (UUID or `mrk-…`). */
  readonly keyId: string;
}

/** Which material of which key; account, key id and spec are bound into the wrapping. */
export interface KeyUse extends KeyIdentity {
  readonly material: WrappedMaterial;
  readonly keySpec: KeySpec;
}

/**
 * Key, material version and context of one cryptographic operation. Account and key id are bound
 * into the wrapping and into the ciphertext.
 */
export interface CryptoRequest extends KeyIdentity {
  readonly material: WrappedMaterial;
  /** Canonical associated data of symmetric keys; empty for RSA. */
  readonly context: EncryptionContext;
  /** Absent: a symmetric key. */
  readonly rsa?: { readonly keySpec: KeySpec; readonly algorithm: string };
}

export interface SignatureQuestion {
  readonly algorithm: string;
  readonly messageType: MessageType;
  readonly message: Uint8Array;
}

export type EncryptionContext = Readonly<Record<string, string>>;

export interface FreshDataKey {
  /** The receiver wipes it after use. */
  readonly plaintext: Buffer;
  readonly blob: Buffer;
}

export interface KeyPairQuestion {
  readonly pairSpec: KeySpec;
  readonly withPlaintext: boolean;
}

export interface FreshKeyPair {
  readonly publicKey: Buffer;
  readonly blob: Buffer;
  readonly plaintext: Buffer | undefined;
}

export interface ImportParametersRequest extends KeyIdentity {
  readonly region: string;
  readonly wrappingSpec: KeySpec;
  readonly wrappingAlgorithm: string;
  /** Service time in milliseconds. */
  readonly validToMs: number;
}

export interface ImportParameters {
  /** SPKI DER of the wrapping key. */
  readonly publicKey: Buffer;
  /** Holds the private half, sealed for this key alone. */
  readonly token: Buffer;
}

export interface ImportMaterialRequest extends KeyIdentity {
  readonly region: string;
  readonly keySpec: KeySpec;
  readonly token: Uint8Array;
  readonly encryptedMaterial: Uint8Array;
  readonly nowMs: number;
}

/** The material's id follows from its bytes: the same material has the same id again. */
export interface ImportedMaterial extends WrappedMaterial {
  readonly outcome: "imported";
}

export interface ImportRefusal {
  readonly outcome: "token-invalid" | "token-expired" | "undecryptable" | "wrong-material";
}
