import type { TableRow, TableValue } from "./tables.ts";

/** A batch ends once it holds so much; one more row may come on top. */
const batchBytes = 256 * 1024;

/** Rows in batches of about a quarter of a megabyte. */
export function* inBatches(rows: Iterable<TableRow>): Generator<readonly TableRow[]> {
  let batch: TableRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    batch.push(row);
    for (const value of row) bytes += weight(value);
    if (bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function weight(value: TableValue): number {
  return typeof value === "number" || value === null ? 9 : value.length;
}
