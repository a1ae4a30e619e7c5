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
