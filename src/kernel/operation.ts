import type { Call } from "./call.ts";
import type { WebIdentityCaller } from "./caller.ts";
import type { Command } from "./command.ts";
import type { Refusal } from "./errors.ts";
import type { Json } from "./json.ts";
import type { AttachedPolicy } from "./policy.ts";
import type { Soon } from "./soon.ts";

/**
 * One API operation as a record. Routing, the IAM action, the audit record, metrics and the
 * reference pages derive from it.
 */
export interface Operation<I, O> {
  readonly name: string;
  /**
   * IAM action checked for each resource, `sqs:SendMessage`; null where AWS checks none
   * (GetCallerIdentity). Default: `<service>:<name>`.
   */
  readonly action?: string | null;
  readonly access: "read" | "write" | "list" | "permissions" | "tagging";
  readonly audit: AuditRule<I, O>;
  /**
   * What the call acts on; every entry is authorised before `handle`. Throws the refusal for what
   * does not exist (AWS tells callers of the same account so before it authorises).
   */
  resources(input: I, call: Call): Soon<readonly ResourceUse[]>;
  handle(input: I, call: Call): Soon<Outcome<O>>;
}

/** An operation in a table: the wire decodes each one's input by its own model. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds operations of every shape
export type AnyOperation = Operation<any, any>;

/** What an operation did: its answer, and the changes that become true in one commit with it. */
export interface Outcome<O> {
  readonly output: O;
  readonly commands?: readonly Command[];
  /**
   * Runs once the commit with `commands` is durable (a cache may then rely on it). What it promises
   * is done before the answer leaves.
   */
  readonly committed?: () => void | Promise<void>;
  /** What the audit knows only now: KMS `additionalEventData`, resources found on the way. */
  readonly audit?: {
    readonly resources?: readonly AuditResource[];
    readonly additionalEventData?: Json;
    /** Takes the place of what the rule keeps of the output. */
    readonly responseElements?: Json;
    /** What the service does by itself because of the call. */
    readonly events?: readonly ServiceEvent[];
    /** Who it was, where a token inside the request said so. */
    readonly identity?: WebIdentityCaller;
  };
}

/** One thing that must be authorised: an action on a resource, and the policy that guards it. */
export interface ResourceUse {
  readonly arn: string;
  /** Owner of the resource. */
  readonly accountId: string;
  /** Overrides the operation's action (UpdateAlias checks alias and keys). */
  readonly action?: string;
  /** Policy attached to the resource. */
  readonly policy?: AttachedPolicy;
  /** `key`, `trust`: the policy of the key or role must itself allow or delegate. */
  readonly policyKind?: "resource" | "key" | "trust";
  /** Condition keys of the service (`kms:EncryptionContext:…`), lower-case names. */
  readonly context?: ConditionContext;
  readonly tags?: Readonly<Record<string, string>>;
  /** Grants on a key, those that could be the caller's at least. They only ever allow. */
  readonly grants?: readonly GrantFacts[];
  /** Of the request, case kept: what the constraints of grants are about. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** SSE-KMS: the request must be HTTPS and signed, else `InvalidSecurity`. */
  readonly secureTransportOnly?: boolean;
  /** Type for the audit: `AWS::SQS::Queue`. */
  readonly type?: string;
}

/** A grant as decisions see it. */
export interface GrantFacts {
  readonly grantId: string;
  /** ARN of user, role, session, federated user or account root. */
  readonly granteePrincipal: string;
  /** Unique id of a user or role, taken when the grant was made. */
  readonly granteeId?: string;
  /** `Decrypt`, `GenerateDataKey`, … */
  readonly operations: readonly string[];
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
}

/** Request values for conditions; a list is a multi-valued key. Names in lower case. */
export type ConditionContext = Readonly<Record<string, ConditionValue>>;
export type ConditionValue = string | number | boolean | readonly string[];

export interface AuditRule<I, O> {
  /** Data events are recorded only where a trail selects them; management events always. */
  readonly category: "management" | "data";
  readonly readOnly: boolean;
  /** The answer hands out a secret: it waits until the record is durable. */
  readonly secret?: boolean;
  /**
   * What of the input is kept, an allow-list: members by their wire name, copied with a lower-case
   * first letter; or a function where the record differs. Absent: null.
   */
  readonly request?: readonly (keyof I & string)[] | ((input: I) => Json);
  /** What of the output is kept; null for read-only calls, so usually absent there. */
  readonly response?: readonly (keyof O & string)[] | ((output: O) => Json);
}

export interface AuditResource {
  readonly accountId: string;
  readonly type: string;
  readonly arn: string;
}

/** Something a service did by itself: a key deleted at the end of its waiting period. */
export interface ServiceEvent {
  readonly accountId: string;
  readonly region: string;
  readonly eventSource: string;
  readonly eventName: string;
  /** Absent: AwsServiceEvent. */
  readonly eventType?: "AwsApiCall";
  readonly resources: readonly AuditResource[];
  readonly serviceEventDetails?: Json;
  readonly readOnly?: boolean;
}

/** A service: its operations, and how it says "no" on the wire. */
export interface ServiceTable {
  /** Signing name and model name: `sqs`. */
  readonly name: string;
  /** `sqs.amazonaws.com` */
  readonly eventSource: string;
  readonly operations: ReadonlyMap<string, AnyOperation>;
  /** Makes the refusal for a denied call: code and casing of the action differ per service. */
  readonly accessDenied: AccessDeniedForm;
  /** Refusal when SSE-KMS meets plain HTTP or an unsigned request. */
  readonly invalidSecurity?: (message: string) => Refusal;
}

export interface AccessDeniedForm {
  /** `AccessDeniedException`, `AuthorizationError`, `AccessDenied`. */
  readonly code: string;
  readonly status: number;
  /** `sqs:SendMessage` as the service prints it: `sqs:sendmessage`, `SNS:Publish`. */
  printAction(action: string): string;
}

/** Puts operations in a table; a name twice is a bug. */
export function operationTable(
  operations: readonly AnyOperation[],
): ReadonlyMap<string, AnyOperation> {
  const table = new Map(operations.map((operation) => [operation.name, operation]));
  if (table.size !== operations.length) throw new Error("two operations share a name");
  return table;
}
