/**
 * Operations that touch key material, behind one asynchronous port: the material lives in the key
 * process (later perhaps in an HSM) and never comes back in the clear. Callers hold it wrapped.
 */
export interface KeyVault {
  /** New random material for a symmetric key. The material id is 64 hex digits. */
  createMaterial(request: KeyIdentity): Promise<WrappedMaterial>;
  /** Reads which key sealed a blob, from its clear header; undefined: not one of ours. */
  identify(blob: Uint8Array): (KeyIdentity & { readonly materialId: string }) | undefined;
  encrypt(request: CryptoRequest & { plaintext: Uint8Array }): Promise<Uint8Array>;
  /** undefined: the blob or its context is not what this material sealed. */
  decrypt(request: CryptoRequest & { blob: Uint8Array }): Promise<Buffer | undefined>;
  /** `lengthBytes` fresh random bytes, in the clear and sealed. */
  generateDataKey(request: CryptoRequest & { lengthBytes: number }): Promise<FreshDataKey>;
  /** Drops an unwrapped copy at once (key deleted, material expired). */
  forget(materialId: string): Promise<void>;
}

export interface WrappedMaterial {
  readonly materialId: string;
  /** Sealed by the ring; only the key process can open it. */
  readonly wrapped: Uint8Array;
}

export interface KeyIdentity {
  readonly accountId: string;
  /** Bare key id (UUID or `mrk-…`). */
  readonly keyId: string;
}

/**
 * Key, material version and context of one cryptographic operation. Account and key id are bound
 * into the wrapping and into the ciphertext.
 */
export interface CryptoRequest extends KeyIdentity {
  readonly material: WrappedMaterial;
  readonly context: EncryptionContext;
}

export type EncryptionContext = Readonly<Record<string, string>>;

export interface FreshDataKey {
  /** The receiver wipes it after use. */
  readonly plaintext: Buffer;
  readonly blob: Uint8Array;
}
