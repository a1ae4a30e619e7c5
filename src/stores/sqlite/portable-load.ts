import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Fault } from "../../kernel/errors.ts";
import { portableSchema } from "../../kernel/portable.ts";
import type { CopyTarget, StoreLoader, StoreSnapshot } from "../../kernel/tables.ts";
import { openDatabase } from "./database.ts";
import { faultOf } from "./failure.ts";
import { readPortable } from "./portable-read.ts";
import { portableWriter, writtenSchema } from "./portable-write.ts";
import { beginLoad, endLoad, removeDatabase, rowsPerTransaction } from "./transfer.ts";

/**
 * A new database at `path`, to be filled with portable rows. Throws Fault `store-too-new` for rows
 * of a later form.
 */
export function sqlitePortableLoader(path: string, schema: number = portableSchema): StoreLoader {
  if (schema > portableSchema) {
    throw new Fault("store-too-new", `portable form ${schema} is unknown to this version`);
  }
  const database = beginLoad(path, writtenSchema);
  const writer = portableWriter(database);
  let inTransaction = 0;
  return {
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
      writer.complete();
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
  let whole: DatabaseSync | undefined;
  let finished = false;
  const abandon = () => {
    if (whole?.isOpen) whole.close();
    return loader.abandon();
  };
  return {
    progressOf: () => ({ rows: 0, after: undefined }),
    load: loader.load,
    async complete() {
      await loader.finish();
      // As a start will find it: brought up to date.
      whole = openDatabase(path + partial);
      return readPortable(whole);
    },
    async finish() {
      whole?.close();
      finished = true;
      renameSync(path + partial, path);
      const folder = openSync(dirname(path), "r");
      fsyncSync(folder);
      closeSync(folder);
    },
    abandon,
    async close() {
      if (!finished) await abandon();
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
