/** A table of a store, for what moves whole installations: backups, restores, copies. */
export interface TableShape {
  readonly name: string;
  /** In the order in which rows carry their values. */
  readonly columns: readonly string[];
  /** How many of the first columns are the primary key. */
  readonly keyColumns: number;
}

/** Which tables a store has: those of a kind of store after so many of its migrations. */
export interface StoreForm {
  readonly kind: "sqlite" | "postgres";
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
   * Rows in order of their primary key (text by its UTF-8 bytes), in batches that fit in memory.
   * `after`: the primary key of the last row that is known already.
   */
  rows(table: TableShape, after?: TableRow): AsyncIterable<readonly TableRow[]>;
  close(): Promise<void>;
}

/** An empty store that is being filled. Nothing counts before `finish`. */
export interface StoreLoader {
  load(table: TableShape, rows: readonly TableRow[]): Promise<void>;
  /** Everything is there: it is checked, made durable and can be used from now on. */
  finish(): Promise<void>;
  /** Leaves nothing behind that could be taken for a store. */
  abandon(): Promise<void>;
}
