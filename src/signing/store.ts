import { recordKind } from "../kernel/records.ts";

/** The key that signs notifications; id: `notification`. */
export interface SigningKeyRecord {
  /** PKCS #8, sealed. */
  readonly privateKey: string;
  /** The present certificate. */
  readonly certificateId: string;
  readonly certificateExpiresMs: number;
}

export const signingKeys = recordKind<SigningKeyRecord>("signing.key", "installation");

/**
 * A certificate by its id (32 hex digits, of its digest). Old ones stay: notifications in queues
 * name them.
 */
export interface CertificateRecord {
  readonly pem: string;
}

export const certificates = recordKind<CertificateRecord>("signing.certificate", "installation");

export const installationScope = { accountId: "", region: "" };
export const keyName = "notification";
/** What the private key is sealed for. */
export const sealContext = "signing.key notification";
