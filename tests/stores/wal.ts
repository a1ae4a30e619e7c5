import { readFileSync } from "node:fs";

/**
 * Transactions in a write-ahead log since its last reset: frames whose header names the size of the
 * database after a commit. https://sqlite.org/fileformat2.html#walformat
 */
export function committedTransactions(databasePath: string): number {
  const log = readFileSync(`${databasePath}-wal`);
  const pageBytes = log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + 24 + pageBytes <= log.length; at += 24 + pageBytes) {
    // Frames of before the reset carry another salt.
    if (!log.subarray(at + 8, at + 16).equals(salt)) break;
    if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}
