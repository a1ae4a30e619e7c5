import type { RecordView } from "../../kernel/records.ts";
import { recordKind } from "../../kernel/records.ts";

/** An RSA key that signs digests of a region. Old ones stay: digests name them. */
export interface DigestKeyRecord {
  /** AWS: 32 hex digits. AWS?: the MD5 of the public key's DER. */
  readonly fingerprint: string;
  /** PKCS #1 RSAPublicKey, DER, base64. */
  readonly publicKey: string;
  /** PKCS #8, sealed for `digestKeyContext`. */
  readonly privateKey: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

const kind = recordKind<DigestKeyRecord>("cloudtrail.digest-key");
const keyAccountId = "trails";

export function digestKeyContext(region: string, fingerprint: string): string {
  return `cloudtrail.digest-key ${region} ${fingerprint}`;
}

export const digestKeys = {
  list: async (view: RecordView, region: string): Promise<readonly Readonly<DigestKeyRecord>[]> =>
    (await kind.list(view, { accountId: keyAccountId, region })).map(({ value }) => value),
  put: (region: string, record: DigestKeyRecord) =>
    kind.put({ accountId: keyAccountId, region }, record.fingerprint, record),
};
