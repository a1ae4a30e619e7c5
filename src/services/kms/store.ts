import type { EpochMs } from "../../kernel/clock.ts";
import type { KeySpec, KeyUsage } from "../../kernel/key-specs.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import { recordKind } from "../../kernel/records.ts";

/** A KMS key: all that decides about it in one authenticated record, so one read answers a call. */
export interface KeyRecord {
  readonly keyId: string;
  readonly accountId: string;
  readonly region: string;
  /** `AWS`: made by us at the first use of `alias/aws/…`, not to be changed by users. */
  readonly manager: "CUSTOMER" | "AWS";
  readonly description: string;
  readonly state: KeyState;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: "AWS_KMS" | "EXTERNAL";
  readonly createdMs: EpochMs;
  /** When the material is destroyed; set only in state PendingDeletion. */
  readonly deletionMs?: EpochMs;
  /** Set only in state PendingReplicaDeletion: the wait that begins with the last replica's end. */
  readonly deletionWindowDays?: number;
  readonly policy: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
  /** Names of the aliases that point here; kept with the alias records in one commit. */
  readonly aliases: readonly string[];
  /** Oldest first; the last one that is not pending encrypts, all of them decrypt. */
  readonly materials: readonly MaterialRecord[];
  /** Absent: automatic rotation is off. Of a multi-Region key, the primary's. */
  readonly rotation?: RotationRecord;
  /** How many rotations were asked for; AWS limits them. */
  readonly onDemandRotations?: number;
  /** Absent: none. With none, decisions need not look for grants. */
  readonly grantCount?: number;
  readonly multiRegion?: MultiRegionRecord;
  /** End of state Creating or Updating. */
  readonly settleMs?: EpochMs;
}

export type KeyState =
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingReplicaDeletion"
  | "PendingImport"
  | "Creating"
  | "Updating";

export interface MaterialRecord {
  /** 64 hex digits. */
  readonly materialId: string;
  /** Sealed by the ring, base64; only the key process can open it. Absent: deleted or expired. */
  readonly wrapped?: string;
  /** SPKI DER, base64, of key pairs. */
  readonly publicKey?: string;
  readonly createdMs: EpochMs;
  /** How it became current; absent for the first material. */
  readonly rotationType?: "AUTOMATIC" | "ON_DEMAND";
  /** When it became current, if that was later than `createdMs`. */
  readonly rotatedMs?: EpochMs;
  /** Imported and waiting for RotateKeyOnDemand. */
  readonly pending?: true;
  /** Imported with KEY_MATERIAL_EXPIRES. */
  readonly expiresMs?: EpochMs;
  readonly description?: string;
}

export interface RotationRecord {
  readonly periodDays: number;
  readonly nextMs: EpochMs;
}

/** The set that a multi-Region key belongs to; the same in each of its records. */
export interface MultiRegionRecord {
  readonly primaryRegion: string;
  /** In order. */
  readonly replicaRegions: readonly string[];
}

export interface AliasRecord {
  /** `alias/…`, also the record's id. */
  readonly name: string;
  readonly targetKeyId: string;
  readonly createdMs: EpochMs;
  readonly updatedMs: EpochMs;
}

/** A grant; grants only ever allow. */
export interface GrantRecord {
  readonly grantId: string;
  readonly keyId: string;
  /** "" for none. */
  readonly name: string;
  readonly createdMs: EpochMs;
  readonly granteePrincipal: string;
  /** Unique id of a user or role when the grant was made. */
  readonly granteeId?: string;
  readonly retiringPrincipal?: string;
  readonly retiringId?: string;
  /** Account of who made it: it may retire it. */
  readonly issuingAccountId: string;
  readonly operations: readonly string[];
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
}

/** Where a grant with a retiring principal is: ListRetirableGrants looks across accounts. */
export interface RetirableRecord {
  readonly accountId: string;
  readonly keyId: string;
  readonly grantId: string;
}

/**
 * Something the clock owes a key. INVARIANT: a key has at most one of these, and it is what
 * `dueOf(key)` says; `saveKey` keeps it so.
 */
export interface DueRecord {
  readonly task: "delete" | "expire" | "rotate" | "settle";
  readonly atMs: EpochMs;
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
}

/** Regional; id = key id. */
export const keys = recordKind<KeyRecord>("kms.key");
/** Regional; id = alias name with its prefix. */
export const aliases = recordKind<AliasRecord>("kms.alias");
/** Regional; id = `key id|grant id`, and a grant id begins with a digest of its grantee. */
export const grants = recordKind<GrantRecord>("kms.grant");
/** Installation; id = `region|digest of the retiring principal|account|key id|grant id`. */
export const retirable = recordKind<RetirableRecord>("kms.retirable", "installation");
/** Installation; id begins with the time, so the first record is the next thing to do. */
export const dueWork = recordKind<DueRecord>("kms.due", "installation");

export const installationScope = { accountId: "", region: "" } as const;

export function dueId(due: DueRecord): string {
  return `${String(due.atMs).padStart(16, "0")}|${due.accountId}|${due.region}|${due.keyId}`;
}
