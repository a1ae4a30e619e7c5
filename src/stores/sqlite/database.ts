import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Fault } from "../../kernel/errors.ts";
import { faultOf } from "./failure.ts";
import { migrate } from "./migrate.ts";
import { type Migration, migrations } from "./migrations/index.ts";

/** "SEAL": tells the file apart from other SQLite databases. */
const applicationId = 0x5345414c;

/** How long a second process waits for the first to let go of the file (a restart overlaps). */
const lockWaitMs = 2000;

/**
 * Opens or makes the database file, readable by its owner only, and brings its schema up to date.
 *
 * Throws Fault `store-busy` if another process holds it, `store-too-new`, `store-corrupt`,
 * `store-foreign` if the file is a database of something else.
 */
export function openDatabase(path: string, steps: readonly Migration[] = migrations): DatabaseSync {
  if (path !== ":memory:") makeFile(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: lockWaitMs, enableForeignKeyConstraints: true });
    configure(database);
    migrate(database, steps);
    return database;
  } catch (error) {
    database?.close();
    throw faultOf(error);
  }
}

function configure(database: DatabaseSync): void {
  // One process holds the file: caches above rely on nobody else writing, and the WAL index can
  // stay in memory of our own, where a full disk cannot touch it. Before anything else reads.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  if (isNew(database)) {
    // Both only count before the first table, and auto_vacuum writes: an existing store must open
    // on a full disk. 8 KiB pages hold a body of 1 KiB in its cell; measured against 4 and 16 KiB.
    database.exec("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`PRAGMA application_id = ${applicationId}`);
  }
  // INVARIANT: acknowledged means fsync'd.
  database.exec("PRAGMA synchronous = FULL");
  // Writing the log back holds up all that is under way, 4 to 5 ms for 1,000 pages under full load.
  database.exec("PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864");
  // No memory map: an I/O error on one is a signal that ends the process, not an error code.
  database.exec("PRAGMA cache_size = -16384; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY");
}

/** Throws Fault `store-foreign` before anything is written to a database of another program. */
function isNew(database: DatabaseSync): boolean {
  const found = database.prepare("PRAGMA application_id").get()?.application_id;
  if (found === applicationId) return false;
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
  if (found === 0 && tables === 0) return true;
  throw new Fault("store-foreign", "the file is a database of another program");
}

/** SQLite would make it readable by everyone; its WAL takes over the mode of the file. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    throw new Fault("store-unreachable", `cannot open the store's file ${path}`, { cause: error });
  }
}
