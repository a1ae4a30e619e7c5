import type { EpochMs } from "../../kernel/clock.ts";
import type { NamedPolicy } from "../../kernel/policy.ts";
import { recordKind } from "../../kernel/records.ts";

/** An IAM user with all that decides about it, so that one read answers a request. */
export interface UserRecord {
  /** As its creator wrote it; names are unique without regard to case. */
  readonly userName: string;
  /** `AIDA…`, never reused. */
  readonly userId: string;
  readonly accountId: string;
  /** Begins and ends with `/`. */
  readonly path: string;
  readonly createdMs: EpochMs;
  readonly tags: Readonly<Record<string, string>>;
  /** Inline policies in order of name. */
  readonly policies: readonly NamedPolicy[];
  readonly accessKeyIds: readonly string[];
}

/** An account of this installation. Its root user is no IAM user. */
export interface AccountRecord {
  readonly accountId: string;
  readonly name: string;
  readonly createdMs: EpochMs;
  readonly rootAccessKeyIds: readonly string[];
}

export interface AccessKeyRecord {
  readonly accessKeyId: string;
  readonly accountId: string;
  readonly owner: AccessKeyOwner;
  readonly status: "Active" | "Inactive";
  readonly createdMs: EpochMs;
  /** By the SecretBox, under `accessKeyContext`. */
  readonly sealedSecret: string;
}

export type AccessKeyOwner =
  | { readonly kind: "root" }
  /** `userKey` finds the record, `userId` tells a recreated user of the same name apart. */
  | { readonly kind: "user"; readonly userKey: string; readonly userId: string };

/** Global; id = `userKeyOf(name)`. */
export const users = recordKind<UserRecord>("iam.user", "global");
/** Installation; id = account id. */
export const accounts = recordKind<AccountRecord>("iam.account", "installation");
/** Installation; id = access key id: the only thing a request says about its caller. */
export const accessKeys = recordKind<AccessKeyRecord>("iam.access-key", "installation");

export const installation = { accountId: "", region: "" } as const;

/** Scope of what belongs to an account everywhere. */
export function accountScope(accountId: string) {
  return { accountId, region: "" };
}

export function userKeyOf(userName: string): string {
  return userName.toLowerCase();
}

/** What a sealed secret access key is bound to. */
export function accessKeyContext(accessKeyId: string): string {
  return `iam.access-key|${accessKeyId}`;
}
