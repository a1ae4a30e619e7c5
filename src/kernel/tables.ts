/** A table of a store, for what moves whole installations: backups, restores, copies. */
export interface TableShape {
  readonly name: string;
  /** In the order in which rows carry their values. */
  readonly columns: readonly string[];
  /** How many of the first columns are the primary key. */
  readonly keyColumns: number;
}

/**
 * Which tables there are: those of the embedded store after so many of its migrations, or the
 * portable ones (`kernel/portable`) of that number.
 */
export interface StoreForm {
  readonly kind: "sqlite" | "portable";
  readonly schema: number;
}

export type TableValue = string | number | Uint8Array | null;
export type TableRow = readonly TableValue[];

/** One consistent state of a whole store; nothing that happens meanwhile is seen in it. */
export interface StoreSnapshot {
  readonly form: StoreForm;
  readonly tables: readonly TableShape[];
  countRows(table: TableShape): Promise<number>;
  /**
   * Rows in an order that is the same each time, in batches that fit in memory. `after`: the last
   * row that is known already; those behind it come.
   */
  rows(table: TableShape, after?: TableRow): AsyncIterable<readonly TableRow[]>;
  close(): Promise<void>;
}

/** A store that is being filled from another one, in the portable form. */
export interface CopyTarget {
  /** How far an earlier attempt at the same copy came. */
  progressOf(table: TableShape): CopyProgress;
  load(table: TableShape, rows: readonly TableRow[]): Promise<void>;
  /** All rows are there: makes what is derived from them, and shows what the store holds now. */
  complete(): Promise<StoreSnapshot>;
  /** What was shown is right: durable, and a store from now on. Before, it is none. */
  finish(): Promise<void>;
  /** What was shown is wrong: leaves nothing behind. */
  abandon(): Promise<void>;
  /** Lets go of it; unless it was finished or abandoned, another attempt goes on from here. */
  close(): Promise<void>;
}

export interface CopyProgress {
  readonly rows: number;
  readonly after: TableRow | undefined;
}

/** An empty store that is being filled. Nothing counts before `finish`. */
export interface StoreLoader {
  load(table: TableShape, rows: readonly TableRow[]): Promise<void>;
  /** Everything is there: it is checked, made durable and can be used from now on. */
  finish(): Promise<void>;
  /** Leaves nothing behind that could be taken for a store. */
  abandon(): Promise<void>;
}
