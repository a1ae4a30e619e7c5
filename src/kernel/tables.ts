/**
 * A store's tables as every store has them, for what moves whole installations: backups, restores
 * and copies between stores. What only one kind of store keeps for itself is not among them.
 */
export interface TableShape {
  readonly name: string;
  /** In the order in which rows carry their values. */
  readonly columns: readonly TableColumn[];
  /** How many of the first columns are the primary key. */
  readonly keyColumns: number;
}

export interface TableColumn {
  readonly name: string;
  readonly type: "text" | "integer" | "bytes";
  readonly nullable?: true;
}

export type TableValue = string | number | Uint8Array | null;
export type TableRow = readonly TableValue[];

/** One consistent state of a whole store; nothing that happens meanwhile is seen in it. */
export interface StoreSnapshot {
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
