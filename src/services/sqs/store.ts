import type { Command, Query } from "../../kernel/command.ts";
import type { Sealed, StoredDataKey } from "../../kernel/sealed.ts";

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
  readonly sealed: Sealed;
  /** MAC over queue id, message id and envelope digest: a body moved by hand does not open. */
  readonly placeMac: Uint8Array;
  /** Message attributes as JSON (name → {DataType, StringValue | BinaryValue base64}), or "". */
  readonly attributes: string;
  /** AWSTraceHeader and, on standard queues, MessageGroupId; JSON or "". */
  readonly systemAttributes: string;
  readonly senderId: string;
  readonly sentMs: number;
  /** `sentMs` plus the delay. */
  readonly visibleAtMs: number;
  /** Body and attributes as AWS counts them. */
  readonly sizeBytes: number;
}

export interface InsertMessages extends Command<undefined> {
  readonly kind: "sqs.insert";
  readonly queue: QueueIdentity;
  readonly messages: readonly NewMessage[];
}

/**
 * Claims up to `count` visible messages, oldest visibility first: each becomes invisible until
 * `visibleAgainMs` and counts one receive. Messages sent before `retainedSinceMs` are skipped.
 * A message whose receive count already reached `receiveCountMax` is not counted again but comes
 * back in `exhausted`, invisible, for the caller to move to the dead-letter queue.
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
}

export interface ClaimResult {
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
  /** ARN of the queue that it was moved from, or "". */
  readonly deadLetterSourceArn: string;
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

/** `absent`: already deleted or expired. `superseded`: received again since; it stays. */
export interface DeleteMessages extends Command<readonly ("deleted" | "absent" | "superseded")[]> {
  readonly kind: "sqs.delete";
  readonly queue: QueueIdentity;
  readonly messages: readonly MessageClaim[];
}

/**
 * Changes visibility of claimed messages. `absent`: deleted. `superseded`: received again since.
 * `beyond-limit`: later than 12 h (`heldMsMax`) after the receive; nothing changes.
 */
export interface ChangeVisibility
  extends Command<readonly ("changed" | "absent" | "superseded" | "beyond-limit")[]> {
  readonly kind: "sqs.visibility";
  readonly queue: QueueIdentity;
  readonly nowMs: number;
  readonly heldMsMax: number;
  readonly changes: readonly (MessageClaim & { readonly visibleAtMs: number })[];
}

/** Moves claimed messages to another queue, envelope and receive count kept, visible at once. */
export interface MoveMessages extends Command<{ moved: number }> {
  readonly kind: "sqs.move";
  readonly from: QueueIdentity;
  readonly to: QueueIdentity;
  readonly nowMs: number;
  readonly messages: readonly (MessageClaim & {
    readonly placeMac: Uint8Array;
    readonly deadLetterSourceArn: string;
  })[];
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

export type SqsCommand =
  | InsertMessages
  | ClaimMessages
  | UnclaimMessages
  | DeleteMessages
  | ChangeVisibility
  | MoveMessages
  | DiscardQueue
  | SweepDiscarded
  | ExpireMessages;
export type SqsQuery = CountMessages | NextVisible | ListQueueScopes;
