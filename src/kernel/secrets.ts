/** Seals small secrets (secret access keys, private keys) for storage in records. */
export interface SecretBox {
  /** `context` names what the secret is and whose; the same one opens it. */
  seal(secret: Uint8Array, context: string): string;
  /** Throws Fault `sealed-secret` if the text was not sealed here under this context. */
  open(sealed: string, context: string): Buffer;
}
