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

/** Who knows when an access key or role was last used. */
export interface AccessKeyUsage {
  /** `id`: of an access key, or the unique id of a role (`AROA…`). */
  lastUsed(view: RecordView, id: string): Promise<AccessKeyUse | undefined>;
}

export interface AccessKeyUse {
  readonly atMs: EpochMs;
  /** Signing name: `sqs`. */
  readonly service: string;
  readonly region: string;
}
