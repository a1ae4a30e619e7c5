import type { EpochMs } from "../../kernel/clock.ts";
import type { KeyVault } from "../../kernel/keyvault.ts";
import type { IdentityPolicies, Principals } from "../../kernel/policy.ts";
import type { Random } from "../../kernel/random.ts";

/** What KMS needs from the rest of the house. */
export interface KmsDependencies {
  readonly vault: KeyVault;
  readonly random: Random;
  /** Who the principals of a key policy are, when it is saved and when it is shown. */
  readonly principals: Principals;
  /** The caller's own policies, for the lockout safety check. */
  readonly identityPolicies: IdentityPolicies;
  /**
   * A commit made something due for a key (deletion, rotation) at this time. The main program arms
   * its clock and then runs `runDueKeyWork`.
   */
  keyWorkDue(atMs: EpochMs): void;
}
