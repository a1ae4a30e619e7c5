import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { silentLog } from "../../src/kernel/log.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/open.ts";

/** What of a test's context is needed here. */
interface Ending {
  after(end: () => Promise<void>): void;
}

/** Opens a store that is closed when the test ends, however it ends: else its thread lives on. */
export async function storeAt(context: Ending, path: string): Promise<SqliteStore> {
  const store = await openSqliteStore({ path, log: silentLog });
  context.after(() => store.close());
  return store;
}

const folders: string[] = [];

const mounted: string[] = [];

after(() => {
  for (const folder of mounted) spawnSync("umount", [folder]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder that goes when the test file is done. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-store-"));
  folders.push(folder);
  return folder;
}

/** Path of a database that does not exist yet. */
export function newPath(): string {
  return join(newFolder(), "store.db");
}

/** A file system was mounted on a folder of ours: it goes before the folder does. */
export function unmountLater(folder: string): void {
  mounted.push(folder);
}
