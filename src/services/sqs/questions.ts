import type { Query } from "../../kernel/command.ts";
import type { QueueIdentity } from "./store.ts";

export interface CountMessages extends Query<MessageCounts> {
  readonly kind: "sqs.counts";
  readonly queue: QueueIdentity;
  readonly nowMs: number;
  readonly retainedSinceMs: number;
}

export interface MessageCounts {
  readonly visible: number;
  /** Claimed and not yet visible again. */
  readonly inFlight: number;
  /** Never received, not yet visible. */
  readonly delayed: number;
}

/** When the next message that is invisible now becomes visible; undefined if none will. */
export interface NextVisible extends Query<number | undefined> {
  readonly kind: "sqs.next-visible";
  readonly queue: QueueIdentity;
  readonly nowMs: number;
}

/** Accounts and regions that have, or lately had, a queue: those of `sqs.*` records. */
export interface ListQueueScopes
  extends Query<readonly { readonly accountId: string; readonly region: string }[]> {
  readonly kind: "sqs.scopes";
}

/** The KMS keys under which data keys are kept, of all accounts. */
export interface ListSealingKeys extends Query<readonly SealingKey[]> {
  readonly kind: "sqs.sealing-keys";
}

export interface SealingKey {
  readonly keyArn: string;
  /** Account and region of the data keys, where the messages lie. */
  readonly accountId: string;
  readonly region: string;
}

/** Messages in queues of one account and region that are sealed under a KMS key. */
export interface CountSealedUnder extends Query<readonly SealedUnder[]> {
  readonly kind: "sqs.sealed-under";
  readonly accountId: string;
  readonly region: string;
  readonly keyArn: string;
}

export interface SealedUnder {
  readonly queueId: string;
  readonly messages: number;
  /** When the oldest of them was sent. */
  readonly oldestSentMs: number;
}

/** What metrics tell of a queue. */
export interface MeasureQueue extends Query<QueueMeasures> {
  readonly kind: "sqs.measure";
  readonly queue: QueueIdentity;
  readonly nowMs: number;
  readonly retainedSinceMs: number;
  /** Messages that were received as often as this are too old to be the oldest one. */
  readonly agedReceives: number;
}

export interface QueueMeasures extends MessageCounts {
  /** When the oldest message was sent; undefined where none counts among the 1,000 oldest. */
  readonly oldestSentMs: number | undefined;
  /** FIFO: groups with messages in flight. */
  readonly groupsInFlight: number;
  /** Standard: groups that hold an outsized share of what is in flight. */
  readonly noisyGroups: number;
  /** Standard: what is not in noisy groups; `oldestSentMs` of what is received next of it. */
  readonly quiet: MessageCounts & { readonly oldestSentMs: number | undefined };
}
