import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Settings } from "../config.ts";
import { lockDataFolder } from "../gateway/data-folder.ts";
import type { Log } from "../kernel/log.ts";
import { readUseLog } from "../keys/use-log-file.ts";
import { isShared } from "./open-store.ts";
import { StartError } from "./start-error.ts";
import { openState, stateOptions } from "./state.ts";

export interface UsesReport {
  readonly lines: number;
  /** The first line that does not follow from those before it; null: the log is whole. */
  readonly brokenLine: number | null;
}

/**
 * Checks the key process's own log of uses in the data folder of a stopped server. What was cut off
 * at its end cannot be seen. Others may serve from a shared store meanwhile: each has its own log.
 * Throws what opening the folder throws.
 */
export async function checkUses(settings: Settings, log: Log): Promise<UsesReport> {
  await using scope = new AsyncDisposableStack();
  const dataFolder = resolve(settings.data);
  if (isShared(settings.store)) {
    if (!existsSync(join(dataFolder, "installation.json"))) {
      throw new StartError(`there is no data folder at ${dataFolder}`);
    }
    const lock = lockDataFolder(dataFolder);
    scope.defer(() => lock.close());
  }
  const lines = readUseLog(join(dataFolder, "key-uses.log"));
  const { keys } = await openState(stateOptions(settings, log), scope);
  return { lines: lines.length, brokenLine: (await keys.firstBrokenUse(lines)) ?? null };
}
