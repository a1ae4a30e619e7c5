import { existsSync, statfsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { BackupError } from "../../backup/error.ts";
import { packageVersion } from "../../cli/io.ts";
import type { Settings } from "../../config.ts";
import { systemRandom } from "../../crypto/random.ts";
import { type DataFolder, openDataFolder, readInstallation } from "../../gateway/data-folder.ts";
import { snapshotPath } from "../../gateway/folder-swap.ts";
import { Fault } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { KeyProcess } from "../../keys/client.ts";
import type { SqliteStore } from "../../stores/sqlite/open.ts";
import { sqliteSnapshot } from "../../stores/sqlite/transfer.ts";
import type { OpenedStore } from "../open-store.ts";
import { openState, stateOptions } from "../state.ts";
import { raiseEpoch } from "./identity.ts";
import { type BackupRecipient, writeBackup } from "./write.ts";

export interface BackupOrigin {
  readonly store: OpenedStore;
  readonly keys: Pick<KeyProcess, "sealBackup">;
  readonly folder: Pick<DataFolder, "path" | "installation">;
  readonly clockOffsetMs: () => number;
  readonly version: string;
}

/** Room beside the copy that the store needs to go on. */
const spareBytes = 16 * 1024 * 1024;

/**
 * Begins a backup of an open store; it goes on as its parts are taken. Throws Fault `disk-full` if
 * the copy that it reads would not find room.
 */
export async function beginBackup(
  { store, keys, folder, clockOffsetMs, version }: BackupOrigin,
  recipients: readonly BackupRecipient[],
): Promise<AsyncGenerator<Buffer>> {
  const embedded = copyable(store);
  requireRoom(folder.path);
  const identity = await raiseEpoch(store, systemRandom);
  const nowMs = performance.timeOrigin + performance.now();
  return writeBackup(
    {
      keys,
      random: systemRandom,
      dataFolder: folder.path,
      snapshot: () => sqliteSnapshot({ store: embedded, path: snapshotPath(folder.path) }),
      manifest: {
        ...identity,
        createdAt: new Date(nowMs).toISOString(),
        version,
        installation: folder.installation,
        clockOffsetMs: clockOffsetMs(),
      },
    },
    recipients,
  );
}

/** Throws Fault `store-copy` for a shared database, which has tools of its own. */
function copyable(store: OpenedStore): SqliteStore {
  if ("copyTo" in store) return store as SqliteStore;
  throw new Fault("store-copy", "a shared database is backed up with its own tools, not by this");
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

/** A backup of the data folder of a stopped server. Throws what opening the folder throws. */
export async function* backupStopped(
  settings: Settings,
  recipients: readonly BackupRecipient[],
  log: Log,
): AsyncGenerator<Buffer> {
  await using scope = new AsyncDisposableStack();
  const path = resolve(settings.data);
  if (!existsSync(join(path, "sealpost.db"))) {
    throw new BackupError(`there is no data folder at ${path}`);
  }
  const now = performance.timeOrigin + performance.now();
  const folder = openDataFolder({ ...readInstallation(path), path, now });
  scope.defer(() => folder.close());
  const state = await openState(stateOptions(settings, log), scope);
  const { clockOffsetMs } = folder;
  const origin = { ...state, folder, clockOffsetMs: () => clockOffsetMs };
  yield* await beginBackup({ ...origin, version: packageVersion() }, recipients);
}
