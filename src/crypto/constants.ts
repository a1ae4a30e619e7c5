/** Sizes in bytes that every format shares. AES-256-GCM, SP 800-38D: 96-bit nonce, 128-bit tag. */
export const keyBytes = 32;
export const nonceBytes = 12;
export const tagBytes = 16;
export const digestBytes = 32;

/**
 * Domain-separation labels. INVARIANT: no two uses of one key share a label, and a label is never
 * given a new meaning: what it sealed must open for ever.
 */
export const labels = {
  /** KMS ciphertext: key of one call, and the commitment to it (SP 800-108 labels). */
  blobKey: "encrypt",
  blobCommitment: "commit",
  materialId: "material-id",
  importedMaterialId: "imported-material-id",
  materialWrap: "sealpost.material.1",
  keyWrap: "sealpost.material.2",
  importToken: "sealpost.import.1",
  rootSeal: "sealpost.root.seal.1",
  useLog: "sealpost.uses.1",
  rootWrap: "sealpost.root.wrap.1",
  rootMac: "sealpost.root.mac.1",
  rootCheck: "sealpost.root.check.1",
  rootFingerprint: "sealpost.root.fingerprint.1",
  ringEntry: "sealpost.ring.1",
  row: "sealpost.row.1",
  place: "sealpost.place.1",
  sharedBody: "sealpost.shared-body.1",
  deduplication: "sealpost.deduplication.1",
  secret: "sealpost.secret.1",
  backupWrap: "sealpost.backup.wrap.1",
  backupHeader: "sealpost.backup.header.1",
  backupPayload: "sealpost.backup.payload.1",
} as const;
