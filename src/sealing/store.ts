import type { Command, Query } from "../kernel/command.ts";
import type { StoredDataKey } from "../kernel/sealed.ts";

/** Stores a data key; one that is already there stays as it is. */
export interface PutDataKey extends Command<undefined> {
  readonly kind: "data-key.put";
  readonly dataKey: StoredDataKey;
}

/**
 * Removes data keys made before `createdBeforeMs` that no message and no undelivered notification
 * names any more, at most `rowsMax`. Swept by age, never counted.
 */
export interface SweepDataKeys extends Command<{ removed: number }> {
  readonly kind: "data-key.sweep";
  readonly createdBeforeMs: number;
  readonly rowsMax: number;
}

export interface GetDataKey extends Query<StoredDataKey | undefined> {
  readonly kind: "data-key.get";
  readonly accountId: string;
  readonly region: string;
  readonly id: string;
}

export type SealingCommand = PutDataKey | SweepDataKeys;
export type SealingQuery = GetDataKey;

/**
 * The thread of a store, where it can seal what is sent to it before the store sees it: the work of
 * AES is done where the database works, beside the thread that serves.
 */
export interface SealingThread {
  /** Hands over a copy of the key of the ring that places are authenticated under. */
  placesUnder(key: Uint8Array): void;
  /** Hands over a copy of a data key. What is committed later may name it. */
  keep(dataKeyId: string, dataKey: Uint8Array): void;
  /**
   * The copy is wiped; answers once it is. A commit that still names it is stale: it is decided
   * again, under the data key of then.
   */
  drop(dataKeyId: string): Promise<void>;
}
