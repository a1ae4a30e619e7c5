import type { EpochMs } from "./clock.ts";

/** What a session token says. It is sealed, so nobody but this installation reads or makes one. */
export interface SessionClaims {
  readonly accountId: string;
  readonly holder: SessionHolder;
  /** Service time. */
  readonly issuedMs: EpochMs;
  /** System time: tokens are things of clients, whose clocks are not virtual. */
  readonly expiresMs: EpochMs;
  /** JSON text. */
  readonly policy?: string | undefined;
  readonly policyArns?: readonly string[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly transitiveTagKeys?: readonly string[] | undefined;
  readonly sourceIdentity?: string | undefined;
  readonly federatedProvider?: string | undefined;
}

/** `key` finds the record, the unique id tells a recreated one of the same name apart. */
export type SessionHolder =
  | {
      readonly kind: "role";
      readonly key: string;
      readonly roleId: string;
      readonly sessionName: string;
    }
  | { readonly kind: "user"; readonly key: string; readonly userId: string }
  | { readonly kind: "root" }
  /** `parent` undefined: root. */
  | {
      readonly kind: "federated";
      readonly name: string;
      readonly parent: { readonly key: string; readonly userId: string } | undefined;
    };

export interface IssuedSession {
  /** `ASIA…` */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface OpenedSession {
  readonly claims: SessionClaims;
  /** Owned by the cache that answered: do not wipe or keep. */
  readonly secretAccessKey: Buffer;
  /** See Session.digest. */
  readonly digest: string;
}

/** Temporary credentials without a record of them: the token itself holds what they are. */
export interface SessionTokens {
  issue(claims: SessionClaims): IssuedSession;
  /** undefined: not a token of ours, or made for another access key. Says nothing of expiry. */
  open(accessKeyId: string, sessionToken: string): OpenedSession | undefined;
}
