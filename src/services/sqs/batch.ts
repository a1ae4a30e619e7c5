import type { BatchResultErrorEntry } from "@aws-sdk/client-sqs";
import { Refusal } from "../../kernel/errors.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { missingParameter } from "./refusals.ts";

export type FailedEntry = Wire<BatchResultErrorEntry>;

const entriesMax = 10;
const idPattern = /^[A-Za-z0-9_-]{1,80}$/;

/** AWS: all messages of one batch together. */
export const batchBytesMax = 1_048_576;

/**
 * Checks what makes a batch as a whole invalid. `entryName` is the entry's shape. Throws
 * EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct.
 *
 * AWS?: the order of these checks.
 */
export function checkBatch<E extends { readonly Id?: string | undefined }>(
  entries: readonly E[] | undefined,
  entryName: string,
): readonly (E & { readonly Id: string })[] {
  if (entries === undefined) throw missingParameter("Entries");
  if (entries.length === 0) {
    const message = `There should be at least one ${entryName} in the request.`;
    throw new Refusal("EmptyBatchRequest", message);
  }
  if (entries.length > entriesMax) {
    throw new Refusal(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const { Id = "" } of entries) {
    if (!idPattern.test(Id)) {
      throw new Refusal(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. " +
          "It can be at most 80 letters long.",
      );
    }
  }
  for (const { Id = "" } of entries) {
    if (seen.has(Id)) throw new Refusal("BatchEntryIdsNotDistinct", `Id ${Id} repeated.`);
    seen.add(Id);
  }
  // Every id was just checked to be there.
  return entries as readonly (E & { readonly Id: string })[];
}

/** Checks of one entry that failed; anything but a refusal is not the entry's fault. */
export function failedEntry(Id: string, error: unknown): FailedEntry {
  if (!(error instanceof Refusal)) throw error;
  return { Id, SenderFault: true, Code: error.code, Message: error.message };
}

/** AWS: an empty `Successful` or `Failed` is left out. */
export function batchResult<S>(
  successful: readonly S[],
  failed: readonly FailedEntry[],
): { Successful?: readonly S[]; Failed?: readonly FailedEntry[] } {
  return {
    ...(successful.length > 0 && { Successful: successful }),
    ...(failed.length > 0 && { Failed: failed }),
  };
}
