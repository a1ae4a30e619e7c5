import { hash } from "node:crypto";
import type { FifoSettings } from "./queue.ts";
import { invalidParameter, invalidValue, missingParameter } from "./refusals.ts";

/** Ids that a sender may give a message. */
export interface SenderIds {
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

export interface FifoIds {
  readonly groupId: string;
  /** What makes two sends the same: the id given, or one that follows from the body. */
  readonly deduplicationId: string;
  /** It was given: it is kept and shown. One from the body is worked out anew, never kept. */
  readonly explicit: boolean;
}

const idPattern = /^[\x21-\x7e]{1,128}$/;

/** AWS: a standard queue takes a group id since fair queues (July 2025), never the other one. */
export function checkStandardIds({ MessageDeduplicationId, MessageGroupId }: SenderIds): void {
  if (MessageDeduplicationId !== undefined) {
    throw invalidParameter(
      "The request include parameter MessageDeduplicationId which is not valid for this queue type",
    );
  }
  if (MessageGroupId !== undefined) checkId("MessageGroupId", MessageGroupId);
}

/** Throws what is missing on a FIFO queue. AWS: the code for a missing group differs in a batch. */
export function requireFifoIds(
  { contentBased }: FifoSettings,
  ids: SenderIds,
  inBatch: boolean,
): void {
  if (ids.MessageGroupId === undefined) {
    const refusal = missingParameter("MessageGroupId");
    throw inBatch ? invalidParameter(refusal.message) : refusal;
  }
  if (ids.MessageDeduplicationId === undefined && !contentBased) {
    throw invalidParameter(
      "The queue should either have ContentBasedDeduplication enabled or " +
        "MessageDeduplicationId provided explicitly",
    );
  }
}

/** Ids of a message whose ids were found to be there. */
export function fifoIds(ids: SenderIds, body: () => Uint8Array): FifoIds {
  const { MessageGroupId: groupId = "", MessageDeduplicationId: given } = ids;
  checkId("MessageGroupId", groupId);
  if (given !== undefined) checkId("MessageDeduplicationId", given);
  const explicit = given !== undefined;
  return { groupId, deduplicationId: given ?? deduplicationIdOf(body()), explicit };
}

/** AWS: the SHA-256 of the plaintext body, attributes left out. */
export function deduplicationIdOf(body: Uint8Array): string {
  return hash("sha256", body, "hex");
}

function checkId(name: "MessageGroupId" | "MessageDeduplicationId", id: string): void {
  if (idPattern.test(id)) return;
  throw invalidValue(
    id,
    name,
    `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  );
}
