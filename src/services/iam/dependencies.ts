import type { EpochMs } from "../../kernel/clock.ts";
import type { Random } from "../../kernel/random.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { SecretBox } from "../../kernel/secrets.ts";

/** What IAM needs from the rest of the house. */
export interface IamDependencies {
  readonly random: Random;
  readonly secrets: SecretBox;
  readonly accessKeyUsage: AccessKeyUsage;
}

/** Who knows when an access key was last used: the audit, or the authenticator's memory. */
export interface AccessKeyUsage {
  lastUsed(view: RecordView, accessKeyId: string): Promise<AccessKeyUse | undefined>;
}

export interface AccessKeyUse {
  readonly atMs: EpochMs;
  /** Signing name: `sqs`. */
  readonly service: string;
  readonly region: string;
}
