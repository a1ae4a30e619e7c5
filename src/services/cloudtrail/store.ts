import type { Command, Query } from "../../kernel/command.ts";

/** What LookupEvents can ask for, beside the time. */
export interface HistoryFacts {
  readonly eventId: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly username: string;
  readonly accessKeyId: string;
  readonly readOnly: boolean;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
}

/** An event of the history; `record` is the CloudTrail JSON. */
export interface HistoryEvent extends HistoryFacts {
  readonly accountId: string;
  readonly region: string;
  readonly timeMs: number;
  readonly record: string;
}

/**
 * The CloudTrail JSON of an event in parts; joined they are it. Those at even places (0, 2, …) are
 * texts that come again in other events: who called, from where, on what.
 */
export type RecordParts = readonly string[];

export interface AuditEvent {
  readonly accountId: string;
  readonly region: string;
  readonly timeMs: number;
  readonly record: RecordParts;
  /** Absent for data events: trails alone get them. */
  readonly history?: HistoryFacts;
  /** The trails of the account that deliver it. */
  readonly trails: readonly TrailPlace[];
}

/** A trail by its name and home region. */
export interface TrailPlace {
  readonly name: string;
  readonly region: string;
}

export interface TrailIdentity extends TrailPlace {
  readonly accountId: string;
}

/**
 * The key that chains events from now on. Not kept by the store: it must come again after each
 * start, before the first event.
 */
export interface UnlockAudit extends Command<undefined> {
  readonly kind: "audit.unlock";
  readonly version: number;
  readonly key: Uint8Array;
}

export interface AppendEvents extends Command<undefined> {
  readonly kind: "audit.append";
  readonly events: readonly AuditEvent[];
}

/** Removes a chain's events up to a number, the oldest first, at most `rowsMax`. */
export interface PruneEvents extends Command<{ removed: number }> {
  readonly kind: "audit.prune";
  readonly accountId: string;
  readonly region: string;
  readonly throughNumber: number;
  readonly rowsMax: number;
}

export type LookupAttribute =
  | { readonly name: "EventId" | "EventName" | "Username"; readonly value: string }
  | { readonly name: "EventSource" | "AccessKeyId"; readonly value: string }
  | { readonly name: "ResourceType" | "ResourceName"; readonly value: string }
  | { readonly name: "ReadOnly"; readonly value: boolean };

export type FoundEvent = HistoryEvent & { readonly number: number };

/** Newest first (time, then order of writing). */
export interface LookupAuditEvents extends Query<readonly FoundEvent[]> {
  readonly kind: "audit.lookup";
  readonly accountId: string;
  readonly region: string;
  readonly attribute?: LookupAttribute;
  readonly startMs: number;
  readonly endMs: number;
  readonly limit: number;
  /** Continue after this event. */
  readonly after?: { readonly timeMs: number; readonly number: number };
}

/** Newest event of a chain, and what is left of its beginning. */
export interface ChainHead {
  readonly accountId: string;
  readonly region: string;
  readonly number: number;
  readonly hash: Uint8Array;
}

/** The heads of all histories. */
export interface ListChainHeads extends Query<readonly ChainHead[]> {
  readonly kind: "audit.heads";
}

export interface ChainedEvent extends FoundEvent {
  readonly keyVersion: number;
  readonly hash: Uint8Array;
}

/** Events of one history in the order of the chain. */
export interface ReadChain extends Query<readonly ChainedEvent[]> {
  readonly kind: "audit.chain";
  readonly accountId: string;
  readonly region: string;
  readonly afterNumber: number;
  readonly limit: number;
}

/**
 * The newest event of a history that may go: older than a time, or beyond the number of events that
 * are kept. Undefined: none.
 */
export interface FindPrunable
  extends Query<{ readonly first: number; readonly through: FoundHash } | undefined> {
  readonly kind: "audit.prunable";
  readonly accountId: string;
  readonly region: string;
  readonly beforeMs: number;
  readonly eventsMax: number;
}

export interface FoundHash {
  readonly number: number;
  readonly timeMs: number;
  readonly hash: Uint8Array;
}

/** Events of one region that became true together, and that a trail has not delivered yet. */
export interface WaitingBatch {
  /** Place in the trail's chain. */
  readonly number: number;
  /** The region that they happened in. */
  readonly eventRegion: string;
  readonly oldestMs: number;
  readonly newestMs: number;
  /** As `packed-records` keeps and opens them: the hash covers these bytes. */
  readonly records: Uint8Array;
  readonly keyVersion: number;
  readonly hash: Uint8Array;
}

/** The oldest waiting batches of a trail: as many as their text fits in the bytes, one at least. */
export interface ListWaiting extends Query<readonly WaitingBatch[]> {
  readonly kind: "trail.waiting";
  readonly trail: TrailIdentity;
  readonly throughNumber?: number;
  readonly bytesMax: number;
}

/** Trails with events that wait, deleted ones as well. */
export interface ListWaitingTrails extends Query<readonly TrailIdentity[]> {
  readonly kind: "trail.trails";
}

/** Batches up to this one are delivered. */
export interface RemoveWaiting extends Command<undefined> {
  readonly kind: "trail.delivered";
  readonly trail: TrailIdentity;
  readonly throughNumber: number;
}

/** Accounts that have records of a kind, none of them in a region. */
export interface ListAccountsWith extends Query<readonly string[]> {
  readonly kind: "trail.accounts";
  readonly recordKind: string;
}

export type AuditCommand = UnlockAudit | AppendEvents | PruneEvents | RemoveWaiting;
export type AuditQuery =
  | LookupAuditEvents
  | ListChainHeads
  | ReadChain
  | FindPrunable
  | ListWaiting
  | ListWaitingTrails
  | ListAccountsWith;
