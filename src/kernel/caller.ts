/**
 * Who acts. Role and federated sessions join with STS; everything that decides by identity goes
 * through these members, so a new kind of caller needs no change elsewhere.
 */
export type Caller = RootCaller | UserCaller | ServiceCaller | AnonymousCaller;

/** Members that every authenticated principal of an account has. */
interface AccountPrincipal {
  readonly accountId: string;
  readonly arn: string;
  /** Unique id: `AIDA…` for a user, the account id for root. A recreated user has another one. */
  readonly principalId: string;
  readonly accessKeyId: string;
}

export interface RootCaller extends AccountPrincipal {
  readonly kind: "root";
}

export interface UserCaller extends AccountPrincipal {
  readonly kind: "user";
  readonly userName: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A service acting for itself (SNS delivering), never a caller from outside in this issue. */
export interface ServiceCaller {
  readonly kind: "service";
  /** `sns.amazonaws.com` */
  readonly service: ServicePrincipal;
  /** The resource the service acts for: aws:SourceArn and aws:SourceAccount. */
  readonly sourceArn: string;
  readonly sourceAccountId: string;
}

export interface AnonymousCaller {
  readonly kind: "anonymous";
}

export type ServicePrincipal = `${string}.amazonaws.com`;

/** The account whose policies speak for this caller; undefined for services and anonymous. */
export function callerAccountId(caller: Caller): string | undefined {
  return caller.kind === "root" || caller.kind === "user" ? caller.accountId : undefined;
}

/** How error texts name the caller: an ARN, a service principal, or `anonymous`. */
export function callerName(caller: Caller): string {
  if (caller.kind === "service") return caller.service;
  return caller.kind === "anonymous" ? "anonymous" : caller.arn;
}

/**
 * The requester of a data key: the principal's unique id (later with digests of session policy and
 * tags). Data keys are never shared between requesters.
 */
export function requesterId(caller: Caller): string {
  switch (caller.kind) {
    case "service":
      return `${caller.service}|${caller.sourceArn}`;
    case "anonymous":
      return "anonymous";
    default:
      return `${caller.accountId}|${caller.principalId}`;
  }
}
