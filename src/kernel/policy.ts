import type { Caller } from "./caller.ts";
import type { RecordView } from "./records.ts";
import type { Soon } from "./soon.ts";

/**
 * A policy as attached to a resource or identity. Compiled once: the compiled form hangs on this
 * object, so keep it as one frozen value inside a record.
 */
export interface AttachedPolicy {
  /** The document as its author wrote it. */
  readonly text: string;
  /**
   * Unique ids of the users and roles that the document names, taken when it was saved. A principal
   * that was deleted and made again has another id and so no access.
   */
  readonly principalIds: Readonly<Record<string, string>>;
}

/** An identity's policy with the name that reasons and `doctor` show. */
export interface NamedPolicy {
  readonly name: string;
  readonly policy: AttachedPolicy;
}

/** Who a user or role ARN is now. Implemented by IAM; asked by services that save policies. */
export interface Principals {
  /** Unique id (`AIDA…`), or undefined if there is no such principal. */
  resolve(view: RecordView, arn: string): Promise<string | undefined>;
}

/** What the policies of the caller's own account are. */
export interface IdentitySide {
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
  /** Policies given when the session was made; absent: it has none. */
  readonly session?: readonly NamedPolicy[];
}

/** The identity side of a decision. Implemented by IAM; asked by the pipeline. */
export interface IdentityPolicies {
  of(view: RecordView, caller: Caller): Soon<IdentitySide>;
}

/** Access keys. Implemented by IAM; asked by the authenticator. */
export interface Credentials {
  /**
   * undefined: unknown, deleted or inactive, or the session token is wrong, which AWS tells apart
   * from nothing else. `expired`: the session is over.
   */
  find(
    view: RecordView,
    accessKeyId: string,
    sessionToken?: string,
  ): Soon<Credential | "expired" | undefined>;
}

export interface Credential {
  readonly caller: Caller;
  /** Key of the SigV4 chain. Owned by the cache that answered: do not wipe or keep. */
  readonly secretAccessKey: Buffer;
}
