import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Fault } from "../../kernel/errors.ts";
import { portableSchema } from "../../kernel/portable.ts";
import type { CopyTarget, StoreLoader, StoreSnapshot } from "../../kernel/tables.ts";
import { openDatabase } from "./database.ts";
import { faultOf } from "./failure.ts";
import { readPortable } from "./portable-read.ts";
import { portableWriter } from "./portable-write.ts";
import { beginLoad, endLoad, removeDatabase, rowsPerTransaction } from "./transfer.ts";

/** Portable rows of each number fit the tables after so many migrations; a start goes on there. */
const schemaFor: Readonly<Record<number, number>> = { 1: 5 };

interface Load extends StoreLoader {
  readonly database: DatabaseSync;
  complete(): void;
}

/**
 * A new database at `path`, to be filled with portable rows. Throws Fault `store-too-new` for rows
 * of a later form.
 */
export function sqlitePortableLoader(path: string, schema: number = portableSchema): Load {
  const fits = schemaFor[schema];
  if (fits === undefined) {
    throw new Fault("store-too-new", `portable form ${schema} is unknown to this version`);
  }
  const database = beginLoad(path, fits);
  const writer = portableWriter(database);
  let inTransaction = 0;
  let completed = false;
  const complete = () => {
    if (completed) return;
    completed = true;
    writer.complete();
  };
  return {
    database,
    complete,
    async load(table, rows) {
      try {
        writer.put(table, rows);
        inTransaction += rows.length;
        if (inTransaction < rowsPerTransaction) return;
        database.exec("COMMIT; BEGIN");
        inTransaction = 0;
      } catch (error) {
        throw faultOf(error);
      }
    },
    async finish() {
      complete();
      endLoad(database, path);
    },
    async abandon() {
      if (database.isOpen) database.close();
      removeDatabase(path);
    },
  };
}

/** The end of a copy's name while it is being made. */
const partial = ".copy";

/**
 * A database at `path` that is made from another store; it has its name only once it is whole. What
 * an earlier attempt left is thrown away: the copy begins anew.
 */
export function sqliteCopyTarget(path: string): CopyTarget {
  const loader = sqlitePortableLoader(path + partial);
  let ended = false;
  return {
    progressOf: () => ({ rows: 0, after: undefined }),
    load: loader.load,
    async complete() {
      loader.complete();
      return readPortable(loader.database);
    },
    async finish() {
      await loader.finish();
      ended = true;
      renameSync(path + partial, path);
      const folder = openSync(dirname(path), "r");
      fsyncSync(folder);
      closeSync(folder);
    },
    abandon: () => loader.abandon(),
    async close() {
      if (!ended) await loader.abandon();
    },
  };
}

/**
 * The store in a file that no server holds, brought up to date, in the portable form. Throws what
 * opening it throws.
 */
export function sqlitePortableSource(path: string): StoreSnapshot {
  const database = openDatabase(path);
  return {
    ...readPortable(database),
    async close() {
      database.close();
    },
  };
}
