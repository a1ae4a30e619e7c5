import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { snapshotPath } from "../../gateway/folder-swap.ts";
import { Fault } from "../../kernel/errors.ts";
import type { StoreSnapshot } from "../../kernel/tables.ts";
import type { PostgresStore } from "../../stores/postgres/open.ts";
import type { SqliteStore } from "../../stores/sqlite/open.ts";
import { sqliteSnapshot } from "../../stores/sqlite/transfer.ts";
import type { OpenedStore } from "../open-store.ts";

/** Room beside the copy that the embedded store needs to go on. */
const spareBytes = 16 * 1024 * 1024;

/**
 * How one state of a store that goes on is read. Throws Fault `disk-full` if the copy that the
 * embedded store makes for it would not find room; a shared one needs none.
 */
export function snapshotsOf(store: OpenedStore, folder: string): () => Promise<StoreSnapshot> {
  if (isEmbedded(store)) {
    requireRoom(folder);
    return () => sqliteSnapshot({ store, path: snapshotPath(folder) });
  }
  if (!isPostgres(store)) throw new Fault("store-copy", "this process cannot read the whole store");
  return async () => {
    const { postgresSnapshot } = await import("../../stores/postgres/portable-read.ts");
    return postgresSnapshot(store.address);
  };
}

function isEmbedded(store: OpenedStore): store is SqliteStore {
  return "copyTo" in store;
}

function isPostgres(store: OpenedStore): store is PostgresStore {
  return "address" in store;
}

function requireRoom(folder: string): void {
  const sizeOf = (name: string) =>
    statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  const neededBytes = sizeOf("sealpost.db") + sizeOf("sealpost.db-wal") + spareBytes;
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= neededBytes) return;
  const [needed, free] = [neededBytes, bavail * bsize].map((bytes) => Math.ceil(bytes / 2 ** 20));
  throw new Fault(
    "disk-full",
    `a backup needs ${needed} MiB beside the store while it runs, and ${free} MiB are free`,
  );
}
