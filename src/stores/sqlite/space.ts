import type { DatabaseSync } from "node:sqlite";
import type { Command } from "../../kernel/command.ts";
import { prepare } from "./act.ts";

/** Commands that remove much at once; after them it is worth a look at the free pages. */
const sweeping: ReadonlySet<string> = new Set([
  "sqs.sweep",
  "sqs.expire",
  "sns.undelivered.expire",
  "data-key.sweep",
  "audit.prune",
]);

const leaving: ReadonlySet<string> = new Set(["record.delete", "meta.put", "store.compact"]);

/**
 * Whether the log still holds what a commit took out of the records, an older key ring, or the end
 * of a file that was cut off.
 */
export function leavesRemains(commands: readonly Command[]): boolean {
  return commands.some(({ kind }) => leaving.has(kind));
}

/** Writes the log back and cuts it off: earlier versions of its pages are gone from the disk. */
export function emptyLog(database: DatabaseSync): void {
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** Free pages that are kept for what comes next: 32 MiB of 8 KiB. */
const freePagesKept = 4096;
/** Pages given back at a time; bounds how long others wait. */
const pagesAtATime = 512;

export function sweeps(commands: readonly Command[]): boolean {
  return commands.some((command) => sweeping.has(command.kind));
}

/**
 * Gives some of the file back to the file system once more than half of it is free. A step of its
 * own transaction; what does not succeed now is tried after the next sweep.
 */
export function createGiveBackSpace(database: DatabaseSync): () => void {
  const counts = prepare<{ pages: number; free: number }>(
    database,
    `SELECT (SELECT page_count FROM pragma_page_count) AS pages,
            (SELECT freelist_count FROM pragma_freelist_count) AS free`,
  );
  return () => {
    const { pages, free } = counts.get() ?? { pages: 0, free: 0 };
    if (free < freePagesKept || free * 2 < pages) return;
    database.exec(`PRAGMA incremental_vacuum(${pagesAtATime})`);
  };
}
