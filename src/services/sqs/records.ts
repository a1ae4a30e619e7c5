import type { AttachedPolicy } from "../../kernel/policy.ts";
import { recordKind } from "../../kernel/records.ts";
import type { QueueAttributes } from "./attributes.ts";

/** A queue's configuration; the id of the record is the queue's name. */
export interface QueueRecord {
  /** Id of this life of the queue, 32 hex digits: a purge begins another one. */
  readonly queueId: string;
  readonly createdMs: number;
  /** Last SetQueueAttributes, or creation. */
  readonly modifiedMs: number;
  /** Last purge, for the rule of 60 seconds. */
  readonly purgedMs?: number;
  /** FIFO: the first queue id; deduplication outlives a purge under it. */
  readonly historyId?: string;
  /** FIFO: what DeduplicationScope was before its last change, and when that was. */
  readonly scopeBefore?: { readonly value: string; readonly changedMs: number };
  /** Settable attributes but Policy, in the form in which they are shown. */
  readonly attributes: QueueAttributes;
  readonly policy?: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
}

export const queueRecords = recordKind<QueueRecord>("sqs.queue");

/** Remembers a deleted name, for the rule of 60 seconds. */
export interface DeletedQueueRecord {
  readonly deletedMs: number;
}

export const deletedQueueRecords = recordKind<DeletedQueueRecord>("sqs.deleted-queue");

/** AWS: how long a deleted name stays taken, and how long after a purge the next is refused. */
export const restMs = 60_000;
