import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Fault } from "../../kernel/errors.ts";
import type {
  StoreLoader,
  StoreSnapshot,
  TableRow,
  TableShape,
  TableValue,
} from "../../kernel/tables.ts";
import { openDatabase } from "./database.ts";
import { faultOf } from "./failure.ts";
import type { SqliteStore } from "./open.ts";

/** A batch ends once it holds so much; one more row may come on top. */
const batchBytes = 256 * 1024;

export interface SqliteSnapshotOptions {
  readonly store: Pick<SqliteStore, "copyTo">;
  /** Where the copy lies while it is read; removed at the close. */
  readonly path: string;
}

/**
 * One state of a store that goes on serving: a copy of its file, read in its stead. Takes as much
 * room on disk as the store. Throws what `copyTo` throws.
 */
export async function sqliteSnapshot(options: SqliteSnapshotOptions): Promise<StoreSnapshot> {
  const { store, path } = options;
  removeDatabase(path);
  try {
    await store.copyTo(path);
    return readDatabase(path);
  } catch (error) {
    removeDatabase(path);
    throw error;
  }
}

/** The copy's log and journal are named after it. */
export function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}

function readDatabase(path: string): StoreSnapshot {
  const database = new DatabaseSync(path);
  // Nobody else has it, and nothing of it must survive this process.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF");
  return {
    async countRows({ name }) {
      return Number(database.prepare(`SELECT count(*) AS n FROM ${name}`).get()?.n);
    },
    async *rows(table, after) {
      const statement = database.prepare(selectText(table, after !== undefined));
      statement.setReturnArrays(true);
      const given = (after ?? []).slice(0, table.keyColumns) as SQLInputValue[];
      let batch: TableRow[] = [];
      let bytes = 0;
      // The types of node:sqlite do not follow `setReturnArrays`.
      for (const row of statement.iterate(...given) as Iterable<unknown> as Iterable<TableRow>) {
        batch.push(row);
        for (const value of row) bytes += weight(value);
        if (bytes < batchBytes) continue;
        yield batch;
        batch = [];
        bytes = 0;
      }
      if (batch.length > 0) yield batch;
    },
    async close() {
      database.close();
      removeDatabase(path);
    },
  };
}

function weight(value: TableValue): number {
  return typeof value === "number" || value === null ? 9 : value.length;
}

function selectText({ name, columns, keyColumns }: TableShape, after: boolean): string {
  const all = columns.map((column) => column.name);
  const key = all.slice(0, keyColumns).join(", ");
  const marks = all.slice(0, keyColumns).map(() => "?");
  const where = after ? `WHERE (${key}) > (${marks.join(", ")})` : "";
  return `SELECT ${all.join(", ")} FROM ${name} ${where} ORDER BY ${key}`;
}

/** Rows per transaction of a load: the log stays small. */
const rowsPerTransaction = 20_000;

/**
 * A new database at `path`, to be filled. It is not synced before `finish`: a crash leaves a file
 * that must be thrown away.
 */
export function sqliteLoader(path: string): StoreLoader {
  removeDatabase(path);
  const database = openDatabase(path);
  database.exec("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN");
  const inserts = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  let inTransaction = 0;

  function insertFor({ name, columns }: TableShape) {
    const known = inserts.get(name);
    if (known !== undefined) return known;
    const names = columns.map((column) => column.name).join(", ");
    const marks = columns.map(() => "?").join(", ");
    const made = database.prepare(`INSERT INTO ${name} (${names}) VALUES (${marks})`);
    inserts.set(name, made);
    return made;
  }

  return {
    async load(table, rows) {
      try {
        const insert = insertFor(table);
        for (const row of rows) insert.run(...(row as SQLInputValue[]));
        inTransaction += rows.length;
        if (inTransaction < rowsPerTransaction) return;
        database.exec("COMMIT; BEGIN");
        inTransaction = 0;
      } catch (error) {
        throw faultOf(error);
      }
    },
    async finish() {
      try {
        database.exec("COMMIT");
        const [lost] = database.prepare("PRAGMA foreign_key_check").all();
        if (lost !== undefined) throw new Fault("store-corrupt", "rows refer to what is not there");
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        database.close();
        sync(path);
      } catch (error) {
        throw faultOf(error);
      }
    },
    async abandon() {
      if (database.isOpen) database.close();
      removeDatabase(path);
    },
  };
}

function sync(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
