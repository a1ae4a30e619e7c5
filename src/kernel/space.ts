import type { Command } from "./command.ts";

/**
 * A step of giving free space of the store's file back to the file system. What is behind it moves
 * into the gaps, so no second copy of the file is needed. Only stores with a file of their own.
 */
export interface CompactStore extends Command<StoreSpace> {
  readonly kind: "store.compact";
  /** Bounds how long others wait for this step. */
  readonly bytesMax: number;
}

export interface StoreSpace {
  readonly fileBytes: number;
  /** Part of the file that holds nothing. */
  readonly freeBytes: number;
}
