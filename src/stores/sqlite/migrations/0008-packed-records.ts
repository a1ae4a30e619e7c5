import type { Migration } from "./index.ts";

/**
 * Records that wait for a trail are packed from now on (`services/cloudtrail/packed-records`).
 * Those that are there already stay as they are, but older code cannot read the new ones.
 */
export const packedRecords: Migration = {
  number: 8,
  name: "packed-records",
  breaking: true,
  sql: "SELECT 1",
};
