import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BackupError } from "../../backup/error.ts";
import type { ReadHeader } from "../../backup/header.ts";
import type { Manifest, StoreHead } from "../../backup/manifest.ts";
import { writeCredentialsFile } from "../../cli/credentials-file.ts";
import type { Settings } from "../../config.ts";
import { systemRandom } from "../../crypto/random.ts";
import { type Installation, lockDataFolder } from "../../gateway/data-folder.ts";
import { writeFileAtomically } from "../../gateway/files.ts";
import { commitRestore, stageRestore } from "../../gateway/folder-swap.ts";
import type { Log } from "../../kernel/log.ts";
import type { StoreForm, StoreLoader, TableRow, TableShape } from "../../kernel/tables.ts";
import type { OpenedBackup } from "../../keys/backup.ts";
import { rotateRoot } from "../../services/iam/root.ts";
import { accounts, installation } from "../../services/iam/store.ts";
import { openSqliteStore } from "../../stores/sqlite/open.ts";
import { sqlitePortableLoader } from "../../stores/sqlite/portable-load.ts";
import { sqliteLoader } from "../../stores/sqlite/transfer.ts";
import { change } from "../change.ts";
import { isShared } from "../open-store.ts";
import { sealOf } from "../seal-source.ts";
import { writeSealedRing } from "../sealed-ring.ts";
import { type OpenState, openState, stateOptions } from "../state.ts";
import type { CopyStep } from "../store-copy.ts";
import { countDestroyed, type Destroyed, removeDestroyed } from "./destroyed.ts";
import { restoredNames } from "./files.ts";
import { putEpoch } from "./identity.ts";
import { intoDatabase } from "./into-database.ts";
import { type BackupKeyUse, openWith } from "./keys.ts";
import { examinePresent, type Present } from "./present.ts";
import { type Progress, readHeader, readPayload } from "./read.ts";
import { verifyBackup } from "./verify.ts";

export interface RestoreRequest {
  readonly file: string;
  /** Names the data folder and what seals it from now on. */
  readonly settings: Settings;
  readonly key: BackupKeyUse;
  /** The folder may hold this installation already; it is replaced. */
  readonly replace: boolean;
  /** What was destroyed since the backup may come back. */
  readonly resurrect: boolean;
  readonly log: Log;
  /** Bytes of the file; at `database` rows of the store. */
  readonly progress: (step: "verify" | "restore" | "database") => Progress;
}

export interface RestoreReport {
  readonly installationId: string;
  readonly createdAt: string;
  readonly epoch: number;
  /** What stays destroyed; undefined: nobody here knows what was destroyed since. */
  readonly leftOut: Destroyed | undefined;
  /** New root credentials stand in DIR/credentials: the backup's were deleted since. */
  readonly newRootCredentials: boolean;
  readonly installation: Installation;
  /** Names the root key that seals the folder now. */
  readonly fingerprint: string;
}

/**
 * Makes a data folder, and the database of a shared store, what a backup says. The whole backup is
 * verified before a byte is written; the new contents are built beside the old ones and take their
 * place in one step: those of the database first, in a step of its own.
 *
 * Throws BackupError, DataFolderError if a server holds the folder, and what opening the backup key
 * and the seal throws. Nothing has changed then.
 */
export async function restoreBackup(request: RestoreRequest): Promise<RestoreReport> {
  await using scope = new AsyncDisposableStack();
  const { file, settings, log } = request;
  const folder = resolve(settings.data);
  const header = readHeader(file);
  const { key } = request;
  const verified = await verifyBackup({ file, key, log, progress: request.progress("verify") });
  const lock = lockDataFolder(folder);
  scope.defer(() => lock.close());
  // Again, in a process that may reach the root key's place; it is there only now.
  const backup = await openWith(header, key, log, sealOf(settings));
  scope.defer(() => backup.close());
  const present = await examinePresent({
    ...{ folder, store: settings.store, ...verified },
    ...{ replace: request.replace, log },
  });
  const staging = stageRestore(folder);
  try {
    const work = { request, folder, staging, header, backup, present };
    const built = await build(work, verified.manifest);
    const shared = isShared(settings.store);
    if (shared) await intoDatabase(databaseOf(request, staging));
    const kept = restoredNames.filter((name) => !(shared && name === "sealpost.db"));
    commitRestore(folder, [...kept, ...(built.newRootCredentials ? ["credentials"] : [])]);
    return built;
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
}

function databaseOf({ settings, replace, progress }: RestoreRequest, staging: string) {
  const say = progress("database");
  return {
    staging,
    url: settings.store,
    replace,
    progress: (step: CopyStep, rows: number, total: number) => {
      if (step === "copy") say(rows, total);
    },
  };
}

interface Work {
  readonly request: RestoreRequest;
  readonly folder: string;
  readonly staging: string;
  readonly header: ReadHeader;
  readonly backup: OpenedBackup;
  readonly present: Present;
}

async function build(work: Work, manifest: Manifest): Promise<RestoreReport> {
  const { request, staging, backup, present } = work;
  await load(work);
  const resealed = await backup.reseal(Buffer.from(manifest.ring, "base64"));
  const epoch = Math.max(manifest.epoch, present.epoch) + 1;
  const store = await openSqliteStore({ path: join(staging, "sealpost.db"), log: request.log });
  try {
    await writeSealedRing(store, resealed);
    await store.commit({ decidedUnder: [], commands: [putEpoch(epoch)] });
  } finally {
    await store.close();
  }
  const facts = manifest.installation as Installation;
  writeText(staging, "installation.json", `${JSON.stringify(facts, null, 2)}\n`);
  if (facts.clock === "virtual") {
    const { clockOffsetMs: offsetMs } = manifest;
    writeText(staging, "clock.json", `${JSON.stringify({ offsetMs })}\n`);
  }
  const leftOut = request.resurrect ? noneDestroyed : present.destroyed;
  const newRootCredentials = await bringUpToDate(work, manifest, leftOut);
  return {
    installationId: manifest.installationId,
    createdAt: manifest.createdAt,
    epoch,
    leftOut,
    newRootCredentials,
    installation: facts,
    fingerprint: resealed.fingerprint,
  };
}

const noneDestroyed: Destroyed = { keys: [], materials: [], accessKeys: [], grants: [] };

/** The store and the files, from a second reading that proves itself like the first. */
async function load({ request, staging, header, backup }: Work): Promise<void> {
  let loader: StoreLoader | undefined;
  let open: number | undefined;
  const closeFile = () => {
    if (open === undefined) return;
    fsyncSync(open);
    closeSync(open);
    open = undefined;
  };
  try {
    const visitor = {
      store({ form }: StoreHead) {
        loader = loaderFor(form, join(staging, "sealpost.db"));
      },
      async rows(table: TableShape, rows: readonly TableRow[]) {
        await loader?.load(table, rows);
      },
      file({ path, mode }: { path: string; mode: number }) {
        closeFile();
        const to = join(staging, path);
        mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
        open = openSync(to, "wx", mode & 0o777);
      },
      fileBytes(bytes: Buffer) {
        if (open === undefined) throw new BackupError("the backup has bytes of no file");
        for (let at = 0; at < bytes.length; ) at += writeSync(open, bytes, at);
      },
    };
    const { payloadKey } = backup;
    const progress = request.progress("restore");
    await readPayload(request.file, header.bytes, payloadKey, visitor, progress);
    closeFile();
    if (loader === undefined) throw new BackupError("the backup holds no store");
    await loader.finish();
  } catch (error) {
    if (open !== undefined) closeSync(open);
    await loader?.abandon();
    throw error;
  }
}

/** Whatever store it is a backup of, the new one is built as an embedded store. */
function loaderFor({ kind, schema }: StoreForm, path: string): StoreLoader {
  if (kind === "portable") return sqlitePortableLoader(path, schema);
  if (kind === "sqlite") return sqliteLoader(path, schema);
  throw new BackupError("the backup was made by a newer version of Sealpost");
}

/**
 * Opens the new state as a start would, which proves ring and records, and takes out of it what
 * must stay gone. Whether root needed new credentials for it.
 */
async function bringUpToDate(
  { request, staging, present }: Work,
  manifest: Manifest,
  leftOut: Destroyed | undefined,
): Promise<boolean> {
  await using scope = new AsyncDisposableStack();
  const { settings, log } = request;
  const state = await openState(
    { ...stateOptions(settings, log), store: "sqlite", dataFolder: staging },
    scope,
  );
  const { accountId } = manifest.installation as Installation;
  const operator = await accounts.get(state.records.view(), installation, accountId);
  if (operator === undefined) {
    throw new BackupError("the backup holds no operator account: it is not a whole installation");
  }
  if (leftOut === undefined || countDestroyed(leftOut) === 0) return false;
  const nowMs = performance.timeOrigin + performance.now() + manifest.clockOffsetMs;
  await removeDestroyed(state.records, leftOut, Math.round(nowMs));
  if (!present.rootSigns) return false;
  // Awaited here: the state is closed when this function returns.
  return await ensureRoot(state, staging, accountId, Math.round(nowMs));
}

/** Root's keys of the backup are all deleted by now, and those that came after are not in it. */
async function ensureRoot(
  { records, secrets }: OpenState,
  staging: string,
  accountId: string,
  nowMs: number,
): Promise<boolean> {
  let made = false;
  await change(records, async (view) => {
    const account = await accounts.get(view, installation, accountId);
    if (account === undefined || account.rootAccessKeyIds.length > 0) return { commands: [] };
    const root = rotateRoot({ random: systemRandom, secrets }, account, nowMs);
    writeCredentialsFile(staging, root);
    made = true;
    return root;
  });
  return made;
}

function writeText(folder: string, name: string, text: string): void {
  writeFileAtomically(join(folder, name), text, 0o600);
}
