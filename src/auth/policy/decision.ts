import type { StatementReference } from "../../kernel/errors.ts";
import type { ConditionContext } from "../../kernel/operation.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
import type { PolicyCaller } from "./principals.ts";

/** One question: may this caller do this to that? All that is known is in it; nothing is read. */
export interface DecisionRequest {
  readonly caller: PolicyCaller;
  /** `sqs:SendMessage`, in any case. */
  readonly action: string;
  /** ARN, or `*` where the action has no resource. */
  readonly resource: string;
  readonly resourceAccountId: string;
  /** `sqs`; shapes the texts only. */
  readonly service: string;
  /** Complete: presence and absence of a key both mean something. Names in lower case. */
  readonly context: ConditionContext;
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy | undefined;
  /** Policies given when the session was made; undefined or empty: it has none. */
  readonly session?: readonly NamedPolicy[] | undefined;
  readonly resourcePolicy?: AttachedPolicy | undefined;
  /**
   * `key`: the key policy must itself allow or delegate. `trust`: so must a role's trust policy.
   * Default `resource`.
   */
  readonly policyKind?: "resource" | "key" | "trust" | undefined;
  /** Policy of the private endpoint that the request came through. */
  readonly endpoint?: NamedPolicy | undefined;
  /** Service control policies, level by level from the root of the organization. */
  readonly serviceControl?: readonly (readonly NamedPolicy[])[] | undefined;
  readonly grants?: readonly KeyGrant[] | undefined;
  /** Of the request, case kept: what the constraints of grants are about. */
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
}

/** A grant on the key in question. Grants only ever allow. */
export interface KeyGrant {
  readonly grantId: string;
  /** ARN of user, role, session, federated user or account root. */
  readonly granteePrincipal: string;
  /** Unique id of a user or role, taken when the grant was made. */
  readonly granteeId?: string | undefined;
  /** `Decrypt`, `GenerateDataKey`, … */
  readonly operations: readonly string[];
  readonly encryptionContextEquals?: Readonly<Record<string, string>> | undefined;
  readonly encryptionContextSubset?: Readonly<Record<string, string>> | undefined;
}

/**
 * What spoke last. With `allowed` it gave the permission; with `explicit` it denied; else it is
 * what should have allowed and did not.
 */
export type DecisionReason =
  | "identity"
  | "resource"
  | "key"
  | "trust"
  | "boundary"
  | "session"
  | "endpoint"
  | "service-control"
  | "grant"
  /** The root user of the resource's account. */
  | "root";

/**
 * The answer. `statements` are those that decided: the Allows that gave the permission, or every
 * Deny that matched (most important kind first); none for an implicit denial. A statementIndex of
 * -1 is a policy that could not be read.
 */
export interface Decision {
  readonly allowed: boolean;
  readonly explicit: boolean;
  readonly reason: DecisionReason;
  readonly statements: readonly StatementReference[];
}
