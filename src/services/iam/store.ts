import type { ServicePrincipal } from "../../kernel/caller.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
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
  /** ARNs of managed policies, in the order in which they were attached. */
  readonly attached: readonly string[];
  /** ARN of a managed policy that limits the user. */
  readonly boundary?: string | undefined;
  /** Keys of the groups that the user is in. */
  readonly groups: readonly string[];
  readonly accessKeyIds: readonly string[];
}

export interface GroupRecord {
  readonly groupName: string;
  /** `AGPA…` */
  readonly groupId: string;
  readonly accountId: string;
  readonly path: string;
  readonly createdMs: EpochMs;
  readonly policies: readonly NamedPolicy[];
  readonly attached: readonly string[];
}

export interface RoleRecord {
  readonly roleName: string;
  /** `AROA…`, never reused. */
  readonly roleId: string;
  readonly accountId: string;
  readonly path: string;
  readonly createdMs: EpochMs;
  readonly description?: string | undefined;
  readonly maxSessionSeconds: number;
  /** Who may assume it, with the ids of those whom it names. */
  readonly trust: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
  readonly policies: readonly NamedPolicy[];
  readonly attached: readonly string[];
  readonly boundary?: string | undefined;
  /** Set for a service-linked role: only its service may use it, and nobody changes it. */
  readonly linkedService?: string | undefined;
}

/** A managed policy of a customer. */
export interface PolicyRecord {
  readonly policyName: string;
  /** `ANPA…` */
  readonly policyId: string;
  readonly accountId: string;
  readonly path: string;
  readonly description?: string | undefined;
  readonly createdMs: EpochMs;
  readonly updatedMs: EpochMs;
  readonly tags: Readonly<Record<string, string>>;
  readonly defaultVersionId: string;
  /** Version numbers are never used again. */
  readonly nextVersion: number;
  /** Oldest first; at most five. */
  readonly versions: readonly PolicyVersionRecord[];
}

export interface PolicyVersionRecord {
  /** `v1` */
  readonly versionId: string;
  readonly createdMs: EpochMs;
  readonly policy: AttachedPolicy;
}

export interface InstanceProfileRecord {
  readonly profileName: string;
  /** `AIPA…` */
  readonly profileId: string;
  readonly accountId: string;
  readonly path: string;
  readonly createdMs: EpochMs;
  readonly tags: Readonly<Record<string, string>>;
  readonly roleKey?: string | undefined;
}

/** An OpenID Connect provider whose tokens roles may trust. */
export interface OidcProviderRecord {
  readonly accountId: string;
  /** Issuer without `https://`. */
  readonly issuer: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly createdMs: EpochMs;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a service outside calls as. Its access key is an AccessKeyRecord like others. */
export interface ServiceCredentialRecord {
  readonly accessKeyId: string;
  readonly service: ServicePrincipal;
  readonly sourceAccountId: string;
  /** "": none is named, and aws:SourceArn is absent. */
  readonly sourceArn: string;
  readonly createdMs: EpochMs;
  /** System time. */
  readonly expiresMs?: number | undefined;
}

export interface AccessKeyUseRecord {
  readonly atMs: EpochMs;
  readonly service: string;
  readonly region: string;
}

export interface AccountAliasRecord {
  readonly accountId: string;
}

export interface RoleDeletionRecord {
  readonly roleName: string;
  readonly createdMs: EpochMs;
}

/** An account of this installation. Its root user is no IAM user. */
export interface AccountRecord {
  readonly accountId: string;
  readonly name: string;
  readonly createdMs: EpochMs;
  readonly rootAccessKeyIds: readonly string[];
  /** Sessions of root issued before this service time are over: its credentials were replaced. */
  readonly rootSessionsAfterMs?: EpochMs | undefined;
  readonly alias?: string | undefined;
  /** Absent: the account may use KMS. */
  readonly kmsOptOut?: boolean | undefined;
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
  | { readonly kind: "user"; readonly userKey: string; readonly userId: string }
  /** A service outside; the ServiceCredentialRecord of the same id says which. */
  | { readonly kind: "service" };

/** Global; id = `nameKey(name)`, as for all named entities of IAM. */
export const users = recordKind<UserRecord>("iam.user", "global");
export const groups = recordKind<GroupRecord>("iam.group", "global");
export const roles = recordKind<RoleRecord>("iam.role", "global");
export const managedPolicies = recordKind<PolicyRecord>("iam.policy", "global");
export const instanceProfiles = recordKind<InstanceProfileRecord>("iam.profile", "global");
/** Global; id = issuer without `https://`. */
export const oidcProviders = recordKind<OidcProviderRecord>("iam.oidc-provider", "global");
/** Global; id = deletion task id. */
export const roleDeletions = recordKind<RoleDeletionRecord>("iam.role-deletion", "global");
/** Installation; id = alias: aliases are unique over all accounts. */
export const accountAliases = recordKind<AccountAliasRecord>("iam.account-alias", "installation");
/** Installation; id = access key id. */
export const serviceCredentials = recordKind<ServiceCredentialRecord>(
  "iam.service-credential",
  "installation",
);
/** Installation; id = access key id or role id. Written now and then, not at each use. */
export const accessKeyUses = recordKind<AccessKeyUseRecord>("iam.access-key-use", "installation");
/** Installation; id = account id. */
export const accounts = recordKind<AccountRecord>("iam.account", "installation");
/** Installation; id = access key id: the only thing a request says about its caller. */
export const accessKeys = recordKind<AccessKeyRecord>("iam.access-key", "installation");

export const installation = { accountId: "", region: "" } as const;

/** Scope of what belongs to an account everywhere. */
export function accountScope(accountId: string) {
  return { accountId, region: "" };
}

/** AWS: names of IAM entities are unique without regard to case. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

export function userKeyOf(userName: string): string {
  return nameKey(userName);
}

/** What a sealed secret access key is bound to. */
export function accessKeyContext(accessKeyId: string): string {
  return `iam.access-key|${accessKeyId}`;
}
