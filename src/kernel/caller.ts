import type { EpochMs } from "./clock.ts";

/**
 * Who acts. Everything that decides by identity goes through these members, so a new kind of
 * caller needs no change elsewhere.
 */
export type Caller = AccountCaller | ServiceCaller | AnonymousCaller;

/** A principal of an account: its policies speak for it. */
export type AccountCaller = RootCaller | UserCaller | RoleSessionCaller | FederatedUserCaller;

/** Members that every authenticated principal of an account has. */
interface AccountPrincipal {
  readonly accountId: string;
  readonly arn: string;
  /**
   * Unique id: `AIDA…` for a user, the account id for root, `AROA…:session` for a role's session,
   * `account:name` for a federated user. Whoever is made again has another one.
   */
  readonly principalId: string;
  readonly accessKeyId: string;
  /** Set for temporary credentials. */
  readonly session?: Session;
}

export interface RootCaller extends AccountPrincipal {
  readonly kind: "root";
}

export interface UserCaller extends AccountPrincipal {
  readonly kind: "user";
  readonly userName: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A session of a role. Its ARN is `arn:aws:sts::A:assumed-role/RoleName/Session`. */
export interface RoleSessionCaller extends AccountPrincipal {
  readonly kind: "role-session";
  /** `arn:aws:iam::A:role/path/RoleName` */
  readonly roleArn: string;
  readonly roleName: string;
  /** `AROA…` */
  readonly roleId: string;
  readonly sessionName: string;
  /** Tags of the role, overridden by those of the session. */
  readonly tags: Readonly<Record<string, string>>;
  readonly session: Session;
}

/** A session from GetFederationToken. Its ARN is `arn:aws:sts::A:federated-user/name`. */
export interface FederatedUserCaller extends AccountPrincipal {
  readonly kind: "federated-user";
  readonly name: string;
  /** Who asked for the session: unique id and ARN of a user, or the account's root. */
  readonly parentId: string;
  readonly parentArn: string;
  /** undefined: the parent is root. */
  readonly parentName: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly session: Session;
}

/** What temporary credentials carry. */
export interface Session {
  /** Service time: aws:TokenIssueTime, which policies that revoke sessions look at. */
  readonly issuedMs: EpochMs;
  /** Session policy, as JSON text. */
  readonly policy: string | undefined;
  /** Managed policies that limit the session as well. */
  readonly policyArns: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** Keys of tags that go on to the next role. */
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
  /** ARN of the identity provider behind it. */
  readonly federatedProvider: string | undefined;
  /** Of everything above that a decision can depend on, but for times; "" if there is nothing. */
  readonly digest: string;
}

/**
 * A service acting for one of its resources: the server's own (SNS delivering), or one outside
 * that holds a service credential.
 */
export interface ServiceCaller {
  readonly kind: "service";
  /** `sns.amazonaws.com` */
  readonly service: ServicePrincipal;
  /** aws:SourceArn; "" if its service credential names none, and the key is absent then. */
  readonly sourceArn: string;
  readonly sourceAccountId: string;
  /** Of the service credential; absent for the server itself. */
  readonly accessKeyId?: string;
}

export interface AnonymousCaller {
  readonly kind: "anonymous";
}

/** Someone with a checked token of an identity provider, asking for a role. */
export interface WebIdentityCaller {
  readonly kind: "web-identity";
  /** ARN of the provider. */
  readonly provider: string;
  readonly audience: string;
  readonly subject: string;
}

export type ServicePrincipal = `${string}.amazonaws.com`;

/** The account whose policies speak for this caller; undefined for services and anonymous. */
export function callerAccountId(caller: Caller): string | undefined {
  return caller.kind === "service" || caller.kind === "anonymous" ? undefined : caller.accountId;
}

/** Whoever has a name in error texts; the policy engine speaks about sessions by less. */
type NamedCaller =
  | Caller
  | Pick<WebIdentityCaller, "kind" | "subject">
  | Pick<RoleSessionCaller | FederatedUserCaller, "kind" | "arn">;

/** How error texts name the caller: an ARN, a service principal, a subject, or `anonymous`. */
export function callerName(caller: NamedCaller): string {
  switch (caller.kind) {
    case "service":
      return caller.service;
    case "anonymous":
      return "anonymous";
    case "web-identity":
      return caller.subject;
    default:
      return caller.arn;
  }
}

/** The access key that signed; "" for the server's own services and for anonymous. */
export function callerAccessKeyId(caller: Caller): string {
  return caller.kind === "anonymous" ? "" : (caller.accessKeyId ?? "");
}

/**
 * The requester of a data key: the principal's unique id, with a digest of session policy and tags
 * and the private endpoint. Data keys are never shared between requesters. Sessions of one role
 * share them, whatever their names, as long as nothing else tells them apart.
 */
export function requesterId(caller: Caller, endpointId?: string): string {
  const identity = identityOf(caller);
  return endpointId === undefined ? identity : `${identity}|${endpointId}`;
}

function identityOf(caller: Caller): string {
  switch (caller.kind) {
    case "service":
      return `${caller.service}|${caller.sourceAccountId}|${caller.sourceArn}`;
    case "anonymous":
      return "anonymous";
    case "role-session":
      return `${caller.accountId}|${caller.roleId}|${caller.session.digest}`;
    case "federated-user":
      return `${caller.accountId}|${caller.parentId}|${caller.principalId}|${caller.session.digest}`;
    default:
      return `${caller.accountId}|${caller.principalId}`;
  }
}
