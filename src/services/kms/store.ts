import type { EpochMs } from "../../kernel/clock.ts";
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
  readonly keySpec: "SYMMETRIC_DEFAULT";
  readonly keyUsage: "ENCRYPT_DECRYPT";
  readonly origin: "AWS_KMS";
  readonly createdMs: EpochMs;
  /** When the material is destroyed; set only in state PendingDeletion. */
  readonly deletionMs?: EpochMs;
  readonly policy: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
  /** Names of the aliases that point here; kept with the alias records in one commit. */
  readonly aliases: readonly string[];
  /** Oldest first; the last one encrypts, all of them decrypt. */
  readonly materials: readonly MaterialRecord[];
  /** Absent: automatic rotation is off. */
  readonly rotation?: RotationRecord;
}

export type KeyState = "Enabled" | "Disabled" | "PendingDeletion";

export interface MaterialRecord {
  /** 64 hex digits. */
  readonly materialId: string;
  /** Sealed by the ring, base64; only the key process can open it. */
  readonly wrapped: string;
  readonly createdMs: EpochMs;
  /** How it became current; absent for the first material. */
  readonly rotationType?: "AUTOMATIC" | "ON_DEMAND";
}

export interface RotationRecord {
  readonly periodDays: number;
  readonly nextMs: EpochMs;
}

export interface AliasRecord {
  /** `alias/…`, also the record's id. */
  readonly name: string;
  readonly targetKeyId: string;
  readonly createdMs: EpochMs;
  readonly updatedMs: EpochMs;
}

/**
 * Something the clock owes a key. INVARIANT: a key has at most one of these, and it is what
 * `dueOf(key)` says; `saveKey` keeps it so.
 */
export interface DueRecord {
  readonly task: "delete" | "rotate";
  readonly atMs: EpochMs;
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
}

/** Regional; id = key id. */
export const keys = recordKind<KeyRecord>("kms.key");
/** Regional; id = alias name with its prefix. */
export const aliases = recordKind<AliasRecord>("kms.alias");
/** Installation; id begins with the time, so the first record is the next thing to do. */
export const dueWork = recordKind<DueRecord>("kms.due", "installation");

export const dueScope = { accountId: "", region: "" } as const;

export function dueId(due: DueRecord): string {
  return `${String(due.atMs).padStart(16, "0")}|${due.accountId}|${due.region}|${due.keyId}`;
}
