import type { Command, Query } from "../../kernel/command.ts";
import type { Sealed, StoredDataKey, Unsealed } from "../../kernel/sealed.ts";
import type {
  CountMessages,
  CountSealedUnder,
  ListQueueScopes,
  ListSealingKeys,
  MeasureQueue,
  NextVisible,
} from "./questions.ts";

export type * from "./questions.ts";

/**
 * What SQS asks of a store, in the words of queues. Bodies are `Sealed`; attributes and metadata
 * are readable, as in AWS. Times are service time in milliseconds, handed in.
 */
export interface QueueIdentity {
  readonly accountId: string;
  readonly region: string;
  /** Id of this life of the queue (32 hex digits): a purge or a deletion begins another one. */
  readonly queueId: string;
}

export interface NewMessage {
  /** UUID. */
  readonly messageId: string;
  readonly sealed: Sealed | Unsealed;
  /**
   * MAC over queue id, message id and envelope digest: a body moved by hand does not open. Empty
   * while the body is unsealed.
   */
  readonly placeMac: Uint8Array;
  /** Message attributes as JSON (name → {DataType, StringValue | BinaryValue base64}), or "". */
  readonly attributes: string;
  /** AWSTraceHeader and MessageDeduplicationId; JSON or "". */
  readonly systemAttributes: string;
  readonly senderId: string;
  readonly sentMs: number;
  /** `sentMs` plus the delay. */
  readonly visibleAtMs: number;
  /** Body and attributes as AWS counts them. */
  readonly sizeBytes: number;
  /** MessageGroupId. On a FIFO queue it orders, on a standard queue it is a tenant. */
  readonly groupId?: string | undefined;
  /** FIFO: keyed digests of the deduplication id, the one to be remembered first. */
  readonly deduplication?: readonly Uint8Array[] | undefined;
}

/** Answers undefined for a standard queue. */
export interface InsertMessages extends Command<readonly PlacedMessage[] | undefined> {
  readonly kind: "sqs.insert";
  readonly queue: QueueIdentity;
  readonly messages: readonly NewMessage[];
  readonly fifo?: FifoInsert;
}

/**
 * FIFO: a message whose digest was sent `rememberMs` before `nowMs` or later is not put in again;
 * the answer is that of the first send.
 */
export interface FifoInsert {
  /** Id of the queue over all purges: what was sent before one is still remembered. */
  readonly historyId: string;
  readonly nowMs: number;
  readonly rememberMs: number;
}

export interface PlacedMessage {
  readonly messageId: string;
  readonly sequence: number;
  readonly duplicate: boolean;
}

/**
 * Claims up to `count` visible messages: each becomes invisible until `visibleAgainMs` and counts
 * one receive. Messages sent before `retainedSinceMs` are skipped. A message whose receive count
 * already reached `receiveCountMax` is not counted again but comes back in `exhausted`, invisible,
 * for the caller to move to the dead-letter queue.
 *
 * Standard queues: oldest visibility first; groups that hold an outsized share of what is in flight
 * come after the others. FIFO queues: groups by the time their first message became visible, of
 * each the visible messages up to the first invisible one.
 */
export interface ClaimMessages extends Command<ClaimResult> {
  readonly kind: "sqs.claim";
  readonly queue: QueueIdentity;
  readonly nowMs: number;
  readonly count: number;
  readonly visibleAgainMs: number;
  readonly retainedSinceMs: number;
  /** Random, 16 hex digits: names this claim in receipt handles. */
  readonly claimId: string;
  readonly inFlightMax: number;
  readonly receiveCountMax: number | undefined;
  readonly fifo?: FifoClaim;
}

export interface FifoClaim {
  /**
   * ReceiveRequestAttemptId. The claim made under it less than `attemptMs` ago is answered again,
   * visibility anew and nothing counted, while none of its messages was deleted or changed.
   */
  readonly attemptId: string | undefined;
  readonly attemptMs: number;
}

export interface ClaimResult {
  /** The claim that holds the messages, where it is an earlier one than that asked for. */
  readonly repeatedClaimId?: string;
  readonly messages: readonly ClaimedMessage[];
  readonly exhausted: readonly ClaimedMessage[];
  /** Data keys of the messages above, each once. */
  readonly dataKeys: readonly StoredDataKey[];
  /** The queue already has `inFlightMax` messages in flight; nothing was claimed. */
  readonly overLimit: boolean;
}

export interface ClaimedMessage {
  /** Place in the queue; with the queue id the identity of the row. */
  readonly sequence: number;
  readonly messageId: string;
  readonly dataKeyId: string;
  /** Envelope bytes, see `Sealed`. */
  readonly bytes: Uint8Array;
  readonly placeMac: Uint8Array;
  readonly attributes: string;
  readonly systemAttributes: string;
  readonly senderId: string;
  readonly sentMs: number;
  readonly firstReceivedMs: number;
  /** Receives including this one. */
  readonly receiveCount: number;
  /** When it was visible before this claim; an undo puts it back. */
  readonly visibleAtMs: number;
  /** ARNs of the queues that it was moved from, last one first, with a blank between; or "". */
  readonly deadLetterSourceArn: string;
  /** MessageGroupId, or "". */
  readonly groupId: string;
}

export interface MessageClaim {
  readonly sequence: number;
  readonly claimId: string;
}

/** Undoes a claim: visibility and receive count as before. Superseded claims are left alone. */
export interface UnclaimMessages extends Command<undefined> {
  readonly kind: "sqs.unclaim";
  readonly queue: QueueIdentity;
  readonly messages: readonly (MessageClaim & { readonly visibleAtMs: number })[];
}

/** `absent`: gone already. `superseded`: received again since. `lapsed`: FIFO, visible again. */
export type DeleteResult = "deleted" | "absent" | "superseded" | "lapsed";

export interface DeleteMessages extends Command<readonly DeleteResult[]> {
  readonly kind: "sqs.delete";
  readonly queue: QueueIdentity;
  readonly messages: readonly MessageClaim[];
  /** FIFO: claims whose message is visible at this time have lapsed. */
  readonly fifoNowMs?: number;
}

/**
 * Changes visibility of claimed messages. `absent`: deleted. `superseded`: received again since.
 * `lapsed`: on a FIFO queue, visible again before the change. `beyond-limit`: later than 12 h
 * (`heldMsMax`) after the receive; nothing changes.
 */
export type VisibilityResult = "changed" | "absent" | "superseded" | "lapsed" | "beyond-limit";

export interface ChangeVisibility extends Command<readonly VisibilityResult[]> {
  readonly kind: "sqs.visibility";
  readonly queue: QueueIdentity;
  readonly nowMs: number;
  readonly heldMsMax: number;
  readonly changes: readonly (MessageClaim & { readonly visibleAtMs: number })[];
}

/** Moves claimed messages to another queue of the same type, envelope kept, visible at once. */
export interface MoveMessages extends Command<{ moved: number }> {
  readonly kind: "sqs.move";
  readonly from: QueueIdentity;
  readonly to: QueueIdentity;
  readonly nowMs: number;
  readonly messages: readonly (MessageClaim & {
    readonly placeMac: Uint8Array;
    readonly deadLetterSourceArn: string;
    /** FIFO: in place of the present ones. */
    readonly systemAttributes?: string;
    /** The retention begins anew. */
    readonly sentMs?: number;
    /** It becomes another message, never received: what a move task makes of it. */
    readonly newMessageId?: string;
  })[];
  /** What was moved counts for this task. */
  readonly taskId?: string;
}

/** Messages that a task has moved so far. */
export interface CountMoved extends Query<number> {
  readonly kind: "sqs.moved";
  readonly accountId: string;
  readonly region: string;
  readonly taskId: string;
}

/** The task is over and told elsewhere. */
export interface ForgetMoved extends Command<undefined> {
  readonly kind: "sqs.forget-moved";
  readonly accountId: string;
  readonly region: string;
  readonly taskIds: readonly string[];
}

/**
 * The delay of a FIFO queue changed: messages never received and sent after `sentAfterMs` become
 * visible `delayMs` after they were sent.
 */
export interface DelayAnew extends Command<undefined> {
  readonly kind: "sqs.delay-anew";
  readonly queue: QueueIdentity;
  readonly sentAfterMs: number;
  readonly delayMs: number;
}

/** Forgets sends and receive attempts before this time, at most `rowsMax` of each. */
export interface ForgetFifo extends Command<{ more: boolean }> {
  readonly kind: "sqs.forget-fifo";
  readonly beforeMs: number;
  readonly rowsMax: number;
}

/** The life of a queue ended (deleted, purged): its messages are never seen again and swept. */
export interface DiscardQueue extends Command<undefined> {
  readonly kind: "sqs.discard";
  readonly queue: QueueIdentity;
}

/** Removes messages of discarded queues, at most `rowsMax`. */
export interface SweepDiscarded extends Command<{ removed: number; more: boolean }> {
  readonly kind: "sqs.sweep";
  readonly rowsMax: number;
}

/** Removes messages sent before `sentBeforeMs`, at most `rowsMax`. */
export interface ExpireMessages extends Command<{ removed: number; more: boolean }> {
  readonly kind: "sqs.expire";
  readonly queue: QueueIdentity;
  readonly sentBeforeMs: number;
  readonly rowsMax: number;
}

export type SqsCommand =
  | InsertMessages
  | ClaimMessages
  | UnclaimMessages
  | DeleteMessages
  | ChangeVisibility
  | MoveMessages
  | ForgetMoved
  | DelayAnew
  | ForgetFifo
  | DiscardQueue
  | SweepDiscarded
  | ExpireMessages;
export type SqsQuery =
  | CountMessages
  | NextVisible
  | ListQueueScopes
  | CountMoved
  | CountSealedUnder
  | ListSealingKeys
  | MeasureQueue;
