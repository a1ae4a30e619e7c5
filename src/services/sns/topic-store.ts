import type { Command, Query } from "../../kernel/command.ts";
import type { Sealed, StoredDataKey } from "../../kernel/sealed.ts";

/** What a store keeps of a FIFO topic beside its record: order, duplicates, archive. */
export interface TopicIdentity {
  readonly accountId: string;
  readonly region: string;
  readonly topicName: string;
}

/** What must be known before messages are given their place. */
export interface FifoState {
  /** 0 before the first message. */
  readonly lastSequence: number;
  /** First publications that are remembered under one of the digests asked for. */
  readonly known: readonly KnownMessage[];
  /** Where a message of one of the groups asked for still waits to be delivered. */
  readonly waiting: readonly { readonly subscriptionArn: string; readonly groupId: string }[];
}

export interface KnownMessage {
  readonly digest: Uint8Array;
  readonly messageId: string;
  readonly sequence: number;
}

export interface GetFifoState extends Query<FifoState> {
  readonly kind: "sns.fifo.state";
  readonly topic: TopicIdentity;
  readonly topicArn: string;
  readonly digests: readonly Uint8Array[];
  /** Publications at or before this time are forgotten. */
  readonly sentAfterMs: number;
  readonly groupIds: readonly string[];
}

/**
 * Takes up messages with the numbers that follow the last one. INVARIANT: publications of one topic
 * come one after another, so `lastSequence` is what the state said; anything else is a bug.
 */
export interface AcceptFifo extends Command<undefined> {
  readonly kind: "sns.fifo.accept";
  readonly topic: TopicIdentity;
  readonly lastSequence: number;
  readonly messages: readonly (KnownMessage & { readonly sentMs: number })[];
  /** Older publications may be forgotten. */
  readonly forgetBeforeMs: number;
}

/** A topic is gone, with its order, its duplicates and its archive. */
export interface ForgetTopic extends Command<undefined> {
  readonly kind: "sns.topic.forget";
  readonly topic: TopicIdentity;
}

export interface ArchivedMessage {
  readonly sequence: number;
  readonly messageId: string;
  readonly metadata: string;
  readonly publishedMs: number;
}

export interface PutArchived extends Command<undefined> {
  readonly kind: "sns.archive.put";
  readonly topic: TopicIdentity;
  readonly message: ArchivedMessage & { readonly sealed: Sealed };
}

/** Removes what was published before a time. */
export interface ExpireArchived extends Command<{ removed: number }> {
  readonly kind: "sns.archive.expire";
  readonly topic: TopicIdentity;
  readonly publishedBeforeMs: number;
  readonly rowsMax: number;
}

export interface ArchiveRow extends ArchivedMessage {
  readonly bytes: Uint8Array;
  readonly dataKey: StoredDataKey;
}

/**
 * Copies archived messages to where a subscription's notifications wait, body and data key as they
 * are, due at once. `metadata` carries the MAC of the new place.
 */
export interface ReplayArchived extends Command<undefined> {
  readonly kind: "sns.archive.replay";
  readonly topic: TopicIdentity;
  readonly topicArn: string;
  readonly subscriptionArn: string;
  readonly nowMs: number;
  readonly messages: readonly {
    readonly sequence: number;
    readonly groupId: string;
    readonly metadata: string;
  }[];
}

/** In order. Bodies are as they were sealed for the topic. */
export interface ReadArchive extends Query<readonly ArchiveRow[]> {
  readonly kind: "sns.archive.read";
  readonly topic: TopicIdentity;
  readonly afterSequence: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
}

export type TopicCommand = AcceptFifo | ForgetTopic | PutArchived | ExpireArchived | ReplayArchived;
export type TopicQuery = GetFifoState | ReadArchive;
