import type { Command, Query } from "../../kernel/command.ts";
import type { Sealed, StoredDataKey } from "../../kernel/sealed.ts";

/**
 * A notification that did not reach its endpoint at once: sealed under the topic's data key until
 * it is delivered, given up and expired, or its subscription is gone.
 */
export interface UndeliveredNotification {
  readonly accountId: string;
  readonly region: string;
  readonly subscriptionArn: string;
  readonly topicArn: string;
  readonly messageId: string;
  /** The published body for this protocol. */
  readonly sealed: Sealed;
  /** Subject, attributes, timestamp: what AWS leaves readable; JSON. */
  readonly metadata: string;
  readonly publishedMs: number;
  readonly attempts: number;
  /** Next attempt; undefined once given up (kept so that it stays visible). */
  readonly nextAttemptMs: number | undefined;
  /** Code and text of the last failure, as the true reason. */
  readonly failureCode: string;
  readonly failureText: string;
}

/** Inserts or replaces by (subscription, message id). */
export interface PutUndelivered extends Command<undefined> {
  readonly kind: "sns.undelivered.put";
  readonly notification: UndeliveredNotification;
}

export interface RemoveUndelivered extends Command<undefined> {
  readonly kind: "sns.undelivered.remove";
  readonly accountId: string;
  readonly region: string;
  readonly subscriptionArn: string;
  readonly messageId: string;
}

/** Notes the outcome of another failed attempt. A notification that is gone stays gone. */
export interface RescheduleUndelivered extends Command<undefined> {
  readonly kind: "sns.undelivered.reschedule";
  readonly accountId: string;
  readonly region: string;
  readonly subscriptionArn: string;
  readonly messageId: string;
  readonly attempts: number;
  /** undefined: given up. */
  readonly nextAttemptMs: number | undefined;
  readonly failureCode: string;
  readonly failureText: string;
}

/** Removes everything published before a time, and of one subscription if named. */
export interface ExpireUndelivered extends Command<{ removed: number }> {
  readonly kind: "sns.undelivered.expire";
  readonly publishedBeforeMs: number;
  readonly subscriptionArn?: string;
  /** Only what was given up (`nextAttemptMs` undefined); what waits for an attempt stays. */
  readonly givenUpOnly?: boolean;
  readonly rowsMax: number;
}

export type UndeliveredRow = Omit<UndeliveredNotification, "sealed"> & {
  readonly bytes: Uint8Array;
  readonly dataKey: StoredDataKey;
};

/** Notifications due for another attempt, earliest first. */
export interface DueUndelivered extends Query<readonly UndeliveredRow[]> {
  readonly kind: "sns.undelivered.due";
  readonly nowMs: number;
  readonly limit: number;
}

/** Of a topic (or all of an account), newest first: what people look at. */
export interface ListUndelivered extends Query<readonly UndeliveredRow[]> {
  readonly kind: "sns.undelivered.list";
  readonly accountId: string;
  readonly region?: string;
  readonly topicArn?: string;
  readonly limit: number;
}

export type SnsCommand =
  | PutUndelivered
  | RescheduleUndelivered
  | RemoveUndelivered
  | ExpireUndelivered;
export type SnsQuery = DueUndelivered | ListUndelivered;
