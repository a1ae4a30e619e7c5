import { Fault } from "../../kernel/errors.ts";

/** Primary result codes of SQLite that are not bugs of ours: https://sqlite.org/rescode.html */
const faults: Readonly<Record<number, readonly [kind: string, message: string]>> = {
  5: ["store-busy", "another process holds the store"],
  6: ["store-busy", "another process holds the store"],
  7: ["store-memory", "the store ran out of memory"],
  8: ["store-read-only", "the store's file cannot be written"],
  10: ["store-io", "the store's disk failed"],
  11: ["store-corrupt", "the store's file is damaged"],
  13: ["disk-full", "the disk is full"],
  14: ["store-unreachable", "the store's file cannot be opened"],
  26: ["store-foreign", "the store's file is not a database"],
};

/** SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC. */
const syncFailures: readonly number[] = [1034, 1290];

/** Result code of an error of SQLite, extended form; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** The fault that an error of SQLite means, or the error itself: then it is a bug. */
export function faultOf(error: unknown): unknown {
  const code = resultCode(error) ?? -1;
  const known = syncFailures.includes(code)
    ? (["store-sync", "the store's disk failed to sync"] as const)
    : faults[code & 0xff];
  if (code < 0 || known === undefined) return error;
  const [kind, message] = known;
  const detail = error instanceof Error ? error.message : "";
  return new Fault(kind, `${message} (SQLite ${code}: ${detail})`, { cause: error });
}

/**
 * After these the state of the file is in doubt: a failed fsync may have dropped what was written
 * before, and trying again would acknowledge what is not there. The store stops for good.
 */
export function isFatal(faultKind: string): boolean {
  return faultKind === "store-sync" || faultKind === "store-corrupt";
}
