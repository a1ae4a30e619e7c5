import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Settings } from "../config.ts";
import { lockDataFolder } from "../gateway/data-folder.ts";
import type { Log } from "../kernel/log.ts";
import { startKeyProcess } from "../keys/client.ts";
import { resealRing } from "../keys/reseal.ts";
import type { SealSource } from "../keys/seal-source.ts";
import { nextOf, settleFileSeal } from "../seals/file.ts";
import type { SealSecrets } from "../seals/flags.ts";
import type { SealKind, SealSettings } from "../seals/seal.ts";
import { isShared, openStore } from "./open-store.ts";
import { type SealFlags, sealSource } from "./seal-source.ts";
import { readSealedRing, type SealedRing, writeSealedRing } from "./sealed-ring.ts";
import { StartError } from "./start-error.ts";

export interface ChangeSeal {
  readonly settings: Settings;
  /** undefined: the same kind of seal, under a new root key. */
  readonly to: SealKind | undefined;
  /** What differs for the new seal: another file, another passphrase. */
  readonly newFlags: Partial<SealFlags>;
  readonly newSecrets: SealSecrets;
  readonly log: Log;
}

export interface ChangedSeal {
  readonly from: SealKind;
  readonly to: SealKind;
  readonly oldFingerprint: string;
  readonly fingerprint: string;
  /** A file of the old seal that opens nothing any more and may still be there. */
  readonly leftFile: string | undefined;
}

/**
 * Puts the key ring of stopped servers under a new root key, and with `to` under another seal.
 * Nothing that is sealed by the ring is touched.
 *
 * INVARIANT: at any moment of a crash the folder opens, with the old seal or with the new one: ring
 * and seal change in one commit, and a root key file is complete before and replaced after it.
 *
 * Throws DataFolderError and Fault `store-busy` if a server holds the folder, or works on the shared
 * store from wherever, StartError without a ring, and what opening the seals throws.
 */
export async function changeSeal(change: ChangeSeal): Promise<ChangedSeal> {
  await using scope = new AsyncDisposableStack();
  const { settings, log } = change;
  const dataFolder = resolve(settings.data);
  const shared = isShared(settings.store);
  if (!shared && !existsSync(join(dataFolder, "sealpost.db"))) {
    throw new StartError(`there is no data folder at ${dataFolder}`);
  }
  // A seal can be changed whatever clock and account the folder was made for. Where a database has
  // the ring, a machine without a folder will do.
  if (existsSync(dataFolder)) {
    const folder = lockDataFolder(dataFolder);
    scope.defer(() => folder.close());
  }
  const systemNowMs = () => performance.timeOrigin + performance.now();
  const choice = { store: settings.store, dataFolder, log, systemNowMs, alone: true };
  const store = await openStore(choice);
  scope.defer(() => store.close());
  const sealed = await readSealedRing(store);
  if (sealed === undefined) {
    throw new StartError(`this ${shared ? "database" : "data folder"} has no key ring yet`);
  }
  const { kind } = sealed.storedSeal;
  const from = sealSource(kind, settings, settings.sealSecrets);
  const to = newSource(change, kind);
  await finishEarlier(from, sealed, log);
  const work = beside(from.settings, to);
  const resealed = await resealRing({ from, ...sealed, to: work.source, log });
  if (work.source.settings.kind === "file") settleFileSeal(work.source.settings, 0);
  await writeSealedRing(store, resealed);
  if (work.source !== to) settleSame(from.settings);
  const { oldFingerprint, fingerprint } = resealed;
  const leftFile = removeOld(from.settings, to.settings);
  return { from: kind, to: to.settings.kind, oldFingerprint, fingerprint, leftFile };
}

function newSource({ settings, to, newFlags, newSecrets }: ChangeSeal, kind: SealKind) {
  const flags = { ...settings, ...newFlags };
  return sealSource(to ?? kind, flags, { ...settings.sealSecrets, ...newSecrets });
}

/** Opens the folder as a start would: proves the seal, and ends a rotation that was cut off. */
async function finishEarlier(
  seal: SealSource,
  { ring, storedSeal }: SealedRing,
  log: Log,
): Promise<void> {
  const keys = await startKeyProcess({ seal, storedSeal, ring, log });
  await keys.close();
}

/** A file that is to hold another root key: the new one is made beside it first. */
function beside(from: SealSettings, to: SealSource): { readonly source: SealSource } {
  const { settings } = to;
  if (settings.kind !== "file") return { source: to };
  if (from.kind === "file" && from.path === settings.path) {
    return { source: { ...to, settings: { ...settings, path: nextOf(settings.path) } } };
  }
  // A file that is there already belongs to something else, or to an attempt that was cut off
  // before anything was sealed by it; its key is as good as a new one.
  return { source: to };
}

/** The ring is under the key beside: it takes the old one's place. */
function settleSame(from: SealSettings): void {
  if (from.kind === "file") settleFileSeal(from, 1);
}

function removeOld(from: SealSettings, to: SealSettings): string | undefined {
  if (from.kind !== "file" || (to.kind === "file" && to.path === from.path)) return undefined;
  rmSync(from.path, { force: true });
  return existsSync(from.path) ? from.path : undefined;
}
