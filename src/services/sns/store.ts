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
  /** When it was given up; absent while attempts go on. */
  readonly givenUpMs?: number | undefined;
  /** Message group of a FIFO topic; absent: the order does not matter. */
  readonly groupId?: string | undefined;
  /** Order within the group: one waits for those before it. */
  readonly sequence?: number | undefined;
  /** Code and text of the last failure, as the true reason; "" before the first attempt. */
  readonly failureCode: string;
  readonly failureText: string;
}

/** Failure code of what nobody delivers: it waits in the outbox until an operator reads it. */
export const outboxCode = "Outbox";

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
  readonly givenUpMs?: number | undefined;
  readonly failureCode: string;
  readonly failureText: string;
}

/** Removes everything published before a time, of one subscription if named. */
export interface ExpireUndelivered extends Command<{ removed: number }> {
  readonly kind: "sns.undelivered.expire";
  readonly publishedBeforeMs: number;
  readonly subscriptionArn?: string;
  /** Only what was given up, and before this time; what waits for an attempt stays. */
  readonly givenUpBeforeMs?: number;
  readonly rowsMax: number;
}

/** Lets what was given up be attempted anew, as if it were published now. */
export interface ReviveUndelivered extends Command<{ revived: number; lanes: readonly Lane[] }> {
  readonly kind: "sns.undelivered.revive";
  readonly accountId: string;
  readonly topicArn?: string | undefined;
  readonly subscriptionArn?: string | undefined;
  readonly messageId?: string | undefined;
  readonly nowMs: number;
}

/** The notifications of one subscription that wait for an attempt. */
export interface Lane {
  readonly subscriptionArn: string;
  readonly nextAttemptMs: number;
}

export type UndeliveredRow = Omit<UndeliveredNotification, "sealed"> & {
  readonly bytes: Uint8Array;
  readonly dataKey: StoredDataKey;
};

/**
 * Notifications of a subscription that are due for an attempt, earliest first. Of a group only the
 * first one is ever due.
 */
export interface DueUndelivered extends Query<readonly UndeliveredRow[]> {
  readonly kind: "sns.undelivered.due";
  readonly subscriptionArn: string;
  readonly nowMs: number;
  readonly limit: number;
}

/** Subscriptions with notifications that wait, in order of their ARNs. */
export interface ListLanes extends Query<readonly Lane[]> {
  readonly kind: "sns.undelivered.lanes";
  /** Only ARNs greater than this one. */
  readonly afterArn: string;
  readonly limit: number;
}

/** Of a topic (or all of an account), newest first: what people look at. */
export interface ListUndelivered extends Query<readonly UndeliveredRow[]> {
  readonly kind: "sns.undelivered.list";
  readonly accountId: string;
  readonly region?: string;
  readonly topicArn?: string;
  /** `failed`: an attempt went wrong; `outbox`: for an operator to fetch; default all. */
  readonly only?: "failed" | "outbox";
  readonly limit: number;
}

export type SnsCommand =
  | PutUndelivered
  | RescheduleUndelivered
  | RemoveUndelivered
  | ExpireUndelivered
  | ReviveUndelivered;
export type SnsQuery = DueUndelivered | ListUndelivered | ListLanes;
