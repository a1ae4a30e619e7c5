import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { BackupError } from "../../backup/error.ts";
import { packageVersion } from "../../cli/io.ts";
import type { Settings } from "../../config.ts";
import { systemRandom } from "../../crypto/random.ts";
import { type DataFolder, openDataFolder, readInstallation } from "../../gateway/data-folder.ts";
import type { Log } from "../../kernel/log.ts";
import type { KeyProcess } from "../../keys/client.ts";
import { isShared, type OpenedStore } from "../open-store.ts";
import { openState, stateOptions } from "../state.ts";
import { raiseEpoch } from "./identity.ts";
import { snapshotsOf } from "./snapshot.ts";
import { type BackupRecipient, writeBackup } from "./write.ts";

export interface BackupOrigin {
  readonly store: OpenedStore;
  readonly keys: Pick<KeyProcess, "sealBackup">;
  readonly folder: Pick<DataFolder, "path" | "installation">;
  readonly clockOffsetMs: () => number;
  readonly version: string;
}

/**
 * Begins a backup of an open store; it goes on as its parts are taken. Throws Fault `disk-full` if
 * the copy that it reads would not find room.
 */
export async function beginBackup(
  { store, keys, folder, clockOffsetMs, version }: BackupOrigin,
  recipients: readonly BackupRecipient[],
): Promise<AsyncGenerator<Buffer>> {
  const snapshot = snapshotsOf(store, folder.path);
  const identity = await raiseEpoch(store, systemRandom);
  const nowMs = performance.timeOrigin + performance.now();
  return writeBackup(
    {
      keys,
      random: systemRandom,
      dataFolder: folder.path,
      snapshot,
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

/**
 * A backup by this process, with the data folder of a stopped server; others may serve from a
 * shared store meanwhile. Throws what opening the folder throws.
 */
export async function* backupStopped(
  settings: Settings,
  recipients: readonly BackupRecipient[],
  log: Log,
): AsyncGenerator<Buffer> {
  await using scope = new AsyncDisposableStack();
  const path = resolve(settings.data);
  const proof = isShared(settings.store) ? "installation.json" : "sealpost.db";
  if (!existsSync(join(path, proof))) {
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
