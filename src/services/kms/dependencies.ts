import type { EpochMs } from "../../kernel/clock.ts";
import type { KeyVault } from "../../kernel/keyvault.ts";
import type { IdentityPolicies, Principals } from "../../kernel/policy.ts";
import type { Random } from "../../kernel/random.ts";
import type { TokenMacs } from "./grant-tokens.ts";
import type { RequestQuotas } from "./quotas.ts";

/** What KMS needs from the rest of the house. */
export interface KmsDependencies {
  readonly vault: KeyVault;
  readonly random: Random;
  /** Who the principals of a key policy are, when it is saved and when it is shown. */
  readonly principals: Principals;
  /** The caller's own policies, for the lockout safety check. */
  readonly identityPolicies: IdentityPolicies;
  readonly grantTokens: TokenMacs;
  /** undefined: requests are not counted. */
  readonly quotas: RequestQuotas | undefined;
  /** The latest audited use of a key; undefined: none is known. */
  lastUse(key: KeyOfUse): Promise<KeyLastUse | undefined>;
  /**
   * A commit made something due for a key (deletion, rotation, expiry) at this time. The main
   * program arms its clock and then runs `runDueKeyWork`.
   */
  keyWorkDue(atMs: EpochMs): void;
  /** Material of a key is gone: data keys that it opened must leave the caches at once. */
  keyMaterialGone(keyArn: string): void | Promise<void>;
}

export interface KeyOfUse {
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly createdMs: EpochMs;
}

export interface KeyLastUse {
  readonly operation: string;
  readonly atMs: EpochMs;
  /** Of the CloudTrail record. */
  readonly eventId: string;
  readonly requestId: string;
}
