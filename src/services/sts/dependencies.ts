import type { UserCaller } from "../../kernel/caller.ts";
import type { Clock, EpochMs } from "../../kernel/clock.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { SessionHolder, SessionTokens } from "../../kernel/session.ts";
import type { AuthorizationMessages } from "./messages.ts";
import type { ProviderKeys } from "./provider-keys.ts";

/** What STS needs from the rest of the house. */
export interface StsDependencies {
  readonly identities: Identities;
  readonly sessions: Pick<SessionTokens, "issue">;
  readonly providerKeys: ProviderKeys;
  readonly messages: Pick<AuthorizationMessages, "decode">;
  /** Sessions expire by it, and the tokens of identity providers. */
  readonly systemClock: Pick<Clock, "now">;
}

/** Who there is. Implemented by IAM. */
export interface Identities {
  /** undefined: no such access key in this installation. */
  accountOfAccessKey(view: RecordView, accessKeyId: string): Promise<string | undefined>;
  /** The role with this very ARN. */
  role(view: RecordView, arn: string): Promise<RoleFacts | undefined>;
  holderOf(user: UserCaller): Extract<SessionHolder, { kind: "user" }>;
  /** Whether an account may use a managed policy: one of its own or of AWS. */
  hasManagedPolicy(view: RecordView, accountId: string, arn: string): Promise<boolean>;
  /** The OIDC provider that an account has registered for an issuer (without `https://`). */
  provider(view: RecordView, accountId: string, issuer: string): Promise<ProviderFacts | undefined>;
}

export interface RoleFacts {
  readonly arn: string;
  readonly accountId: string;
  readonly roleName: string;
  /** Finds the record again. */
  readonly key: string;
  readonly roleId: string;
  readonly maxSessionSeconds: number;
  readonly trust: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ProviderFacts {
  readonly arn: string;
  readonly issuer: string;
  readonly clientIds: readonly string[];
  readonly createdMs: EpochMs;
}
