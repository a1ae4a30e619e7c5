import type { Json } from "../kernel/json.ts";
import type { JsonObject } from "../kernel/records.ts";

/** One authorised step of a message, as `doctor` shows it. Plain data: it goes out as JSON. */
export interface Hop {
  /** The station before: publisher, topic, queue, or the consumer who asks. */
  readonly from: string;
  readonly to: string;
  /** `sns:Publish`; `redrive` for the move to a dead-letter queue, which no policy decides. */
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly reason: string;
  /** Those that decided; none where nothing allows. */
  readonly statements: readonly DecidingStatement[];
  /** Absent where it is allowed, and where no statement can allow it. */
  readonly missing?: Missing;
}

export interface DecidingStatement {
  readonly [member: string]: Json;
  /** identity | resource | key | boundary | session | endpoint | grant | trust */
  readonly policyKind: string;
  readonly policyName: string;
  /** From 0; -1: the policy could not be read. */
  readonly statementIndex: number;
}

/**
 * The smallest statement that allows what is denied, and where it belongs.
 *
 * INVARIANT: whoever offers one has decided the request again with it added, and it was allowed.
 */
export interface Missing {
  /**
   * `identity policy of ARN`, `topic policy of ARN`, `queue policy of ARN`, `key policy of ARN`.
   */
  readonly attachTo: string;
  readonly statement: JsonObject;
}

/** What a decision comes to, in words. */
export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
  readonly statements: readonly DecidingStatement[];
  /** All must be added; more than one where several policies have to agree. */
  readonly missing: readonly Missing[];
}

/** The way of a step, before anything is decided about it. */
export type Step = Pick<Hop, "from" | "to" | "action" | "resource">;

/**
 * A step with its verdict. Where several policies lack a statement each gets a hop of its own, so
 * that a hop names one place and one statement.
 */
export function hopsOf(step: Step, verdict: Verdict): readonly Hop[] {
  const { allowed, reason, statements, missing } = verdict;
  const hop: Hop = { ...step, allowed, reason, statements };
  if (missing.length === 0) return [hop];
  return missing.map((one) => ({ ...hop, missing: one }));
}

/** A step that something other than a policy decides. */
export function plainHop(step: Step, allowed: boolean, reason: string): Hop {
  return { ...step, allowed, reason, statements: [] };
}
