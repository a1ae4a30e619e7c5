import { closeSync, openSync } from "node:fs";
import { backup, type DatabaseSync } from "node:sqlite";

/** Pages of 8 KiB per step: a group that comes waits for half a megabyte to be copied at most. */
const pagesPerStep = 64;

/**
 * Copies a database that goes on being written through the same connection: SQLite's online backup.
 * The copy is the state at the end of some transaction. Its file is readable by its owner only.
 */
export async function copyDatabase(database: DatabaseSync, path: string): Promise<void> {
  // "wx": nothing that somebody put there is followed or written over.
  closeSync(openSync(path, "wx", 0o600));
  await backup(database, path, { rate: pagesPerStep });
}
