/**
 * The three failures. A refusal is what the client is told; a fault may pass when tried again; a
 * bug is ours: it is asserted, logged and answered with 500. The pipeline holds the only `catch`.
 */

/** What the client did wrong or may not do, with the AWS error shape that says so. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** Error shape or bare code as in the AWS model (`QueueDoesNotExist`, `NotFoundException`). */
  readonly code: string;
  /** HTTP status; undefined lets the codec take the one of the model (400 where it names none). */
  readonly status: number | undefined;
  /** Reason of an authorisation denial, for the audit (`AccessDenied`) and for explanations. */
  readonly denial: Denial | undefined;

  constructor(code: string, message: string, options: { status?: number; denial?: Denial } = {}) {
    super(message);
    this.code = code;
    this.status = options.status;
    this.denial = options.denial;
  }
}

/** Why authorisation said no. `statements` names the statements that decided. */
export interface Denial {
  readonly action: string;
  readonly resource: string;
  readonly reason: string;
  readonly explicit: boolean;
  readonly statements: readonly StatementReference[];
}

/** A statement in a policy, named so that a person can find it. */
export interface StatementReference {
  /** identity | resource | key | boundary | session | endpoint | grant | trust */
  readonly policyKind: string;
  /** Name or ARN of what the policy is attached to. */
  readonly policyName: string;
  readonly statementIndex: number;
  readonly sid?: string;
}

/** A failure outside the request: disk full, key process restarting. The client may try again. */
export class Fault extends Error {
  override readonly name = "Fault";
  /** Short machine name for logs and metrics: `disk-full`, `key-process-unavailable`. */
  readonly kind: string;

  constructor(kind: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A command met a newer configuration version: the pipeline decides the request again. */
export class StaleDecision extends Error {
  override readonly name = "StaleDecision";
  /** The act would have changed configuration itself: it contends with others that do. */
  readonly changesRecords: boolean;

  constructor(changesRecords = false) {
    super("the configuration changed meanwhile");
    this.changesRecords = changesRecords;
  }
}

/** Asserts what must hold. A failure is a bug of ours, never the client's fault. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}
