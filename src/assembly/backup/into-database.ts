import { join } from "node:path";
import { sqlitePortableSource } from "../../stores/sqlite/portable-load.ts";
import { removeDatabase } from "../../stores/sqlite/transfer.ts";
import { type CopyProgressed, carryOver, openSharedTarget, stampOf } from "../store-copy.ts";

export interface IntoDatabase {
  /** The folder where the restored installation was built, with an embedded store. */
  readonly staging: string;
  readonly url: string;
  /** The database holds this installation; it is replaced. */
  readonly replace: boolean;
  readonly progress: CopyProgressed;
}

/**
 * Moves a restored store into a database, where it counts from the end of this on. Throws what
 * `copyStore` throws; the database is as it was then.
 */
export async function intoDatabase(request: IntoDatabase): Promise<void> {
  const { staging, url, replace, progress } = request;
  const path = join(staging, "sealpost.db");
  const source = sqlitePortableSource(path);
  try {
    const target = await openSharedTarget(url, await stampOf(source), replace);
    try {
      await carryOver(source, target, progress);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  removeDatabase(path);
}
