import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readFileIfThere, unfinished, writeFileAtomically } from "./files.ts";

/*
 * A restore builds the new contents of a data folder inside it, in `restore.new`, and then puts
 * them in place of the old ones. INVARIANT: at any moment of a crash the folder is the old one or,
 * after `settleRestore`, the new one: `restore.json` decides which.
 */
const stagingName = "restore.new";
const markName = "restore.json";
const snapshotName = "backup-snapshot.db";

/** Where the copy of the store lies while a backup reads it. */
export function snapshotPath(folder: string): string {
  return join(folder, snapshotName);
}

interface Mark {
  readonly move: readonly string[];
  readonly remove: readonly string[];
}

/** An empty place for the new contents. */
export function stageRestore(folder: string): string {
  const staging = join(folder, stagingName);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { mode: 0o700 });
  return staging;
}

/**
 * From now on the new contents count. `names`: all that is replaced; what the staging folder does
 * not have of it is removed.
 */
export function commitRestore(folder: string, names: readonly string[]): void {
  const staged = (name: string) => existsSync(join(folder, stagingName, name));
  const mark: Mark = {
    move: names.filter(staged),
    remove: names.filter((name) => !staged(name)),
  };
  sync(join(folder, stagingName));
  writeFileAtomically(join(folder, markName), `${JSON.stringify(mark)}\n`, 0o600);
  settleRestore(folder);
}

/** Whether a restore counts and is not in place yet. */
export function isRestoreUnsettled(folder: string): boolean {
  return existsSync(join(folder, markName));
}

/**
 * Ends a restore that was cut off: carries it through if it counts, else throws it away. What a
 * backup that was cut off has left goes too.
 */
export function settleRestore(folder: string): void {
  const staging = join(folder, stagingName);
  const text = readFileIfThere(join(folder, markName));
  if (text !== undefined) {
    const { move, remove }: Mark = JSON.parse(text);
    // What belongs to a store that stays is no business of this.
    const ofStore = [...move, ...remove].includes("sealpost.db");
    const gone = [...remove, ...(ofStore ? ["sealpost.db-wal", "sealpost.db-shm"] : [])];
    for (const name of gone) rmSync(join(folder, name), { recursive: true, force: true });
    for (const name of move) {
      if (!existsSync(join(staging, name))) continue;
      rmSync(join(folder, name), { recursive: true, force: true });
      renameSync(join(staging, name), join(folder, name));
    }
    sync(folder);
    rmSync(join(folder, markName));
    sync(folder);
  }
  rmSync(staging, { recursive: true, force: true });
  rmSync(unfinished(join(folder, markName)), { force: true });
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    rmSync(snapshotPath(folder) + suffix, { force: true });
  }
}

function sync(path: string): void {
  const opened = openSync(path, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
