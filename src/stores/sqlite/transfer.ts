import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Fault } from "../../kernel/errors.ts";
import { inBatches } from "../../kernel/row-batches.ts";
import type { StoreLoader, StoreSnapshot, TableRow, TableShape } from "../../kernel/tables.ts";
import { prepare } from "./act.ts";
import { openDatabase } from "./database.ts";
import { faultOf } from "./failure.ts";
import { migrations } from "./migrations/index.ts";
import type { SqliteStore } from "./open.ts";

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
  const { n } = database.prepare("SELECT max(number) AS n FROM schema_migrations").get() ?? {};
  return {
    form: { kind: "sqlite", schema: Number(n) },
    tables: tablesOf(database),
    async countRows({ name }) {
      return Number(database.prepare(`SELECT count(*) AS n FROM ${name}`).get()?.n);
    },
    async *rows(table, after) {
      const statement = database.prepare(selectText(table, after !== undefined));
      statement.setReturnArrays(true);
      const given = (after ?? []).slice(0, table.keyColumns) as SQLInputValue[];
      // The types of node:sqlite do not follow `setReturnArrays`.
      yield* inBatches(statement.iterate(...given) as Iterable<unknown> as Iterable<TableRow>);
    },
    async close() {
      database.close();
      removeDatabase(path);
    },
  };
}

/** Key columns first. */
function tablesOf(database: DatabaseSync): readonly TableShape[] {
  const named = prepare<{ name: string }>(
    database,
    `SELECT name FROM sqlite_schema
      WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'
      ORDER BY name`,
  );
  const columnsOf = prepare<{ name: string; pk: number }>(
    database,
    "SELECT name, pk FROM pragma_table_info(?) ORDER BY pk = 0, pk, cid",
  );
  return named.all().map(({ name }) => {
    const columns = columnsOf.all(name);
    return {
      name,
      columns: columns.map((column) => column.name),
      keyColumns: columns.filter(({ pk }) => pk > 0).length,
    };
  });
}

function selectText({ name, columns, keyColumns }: TableShape, after: boolean): string {
  const key = columns.slice(0, keyColumns).join(", ");
  const marks = columns.slice(0, keyColumns).map(() => "?");
  const where = after ? `WHERE (${key}) > (${marks.join(", ")})` : "";
  return `SELECT ${columns.join(", ")} FROM ${name} ${where} ORDER BY ${key}`;
}

/** Rows per transaction of a load: the log stays small. */
export const rowsPerTransaction = 20_000;

/**
 * A new database at `path` with the tables of a schema number, all empty, in a transaction. It is
 * not synced before `endLoad`: a crash leaves a file that must be thrown away.
 */
export function beginLoad(path: string, schema: number): DatabaseSync {
  if (schema > migrations.length) {
    throw new Fault("store-too-new", `schema ${schema} is unknown to this version`);
  }
  removeDatabase(path);
  const database = openDatabase(path, migrations.slice(0, schema));
  database.exec("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN");
  // Migrations begin counters.
  for (const { name } of tablesOf(database)) database.exec(`DELETE FROM ${name}`);
  return database;
}

/** Checks what was loaded and makes it durable. */
export function endLoad(database: DatabaseSync, path: string): void {
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
}

/**
 * A new database at `path` with the tables of a schema number, to be filled; opening it brings it
 * up to date. Throws Fault `store-too-new` for a schema that this version does not know.
 */
export function sqliteLoader(path: string, schema: number): StoreLoader {
  const database = beginLoad(path, schema);
  const inserts = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  let inTransaction = 0;

  function insertFor({ name, columns }: TableShape) {
    const known = inserts.get(name);
    if (known !== undefined) return known;
    const names = columns.join(", ");
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
      endLoad(database, path);
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
