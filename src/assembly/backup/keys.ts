import { existsSync, readFileSync } from "node:fs";
import { BackupError } from "../../backup/error.ts";
import type { BackupWrap, ReadHeader } from "../../backup/header.ts";
import { publicKeyBytes, publicKeyFingerprint } from "../../crypto/wrap.ts";
import { writeFileAtomically } from "../../gateway/files.ts";
import { Fault } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import { type OpenedBackup, openBackup, readBackupKey } from "../../keys/backup.ts";
import type { SealSource } from "../../keys/seal-source.ts";
import type { SealKind, StoredSeal } from "../../seals/seal.ts";
import { readHeader } from "./read.ts";

const format = "sealpost backup key 1";

/**
 * A backup key as it lies in a file: its public half, and what opens the seal of its private half
 * together with the passphrase, file, token or KMS. Without `storedSeal` it can only seal.
 */
export interface BackupKeyFile {
  readonly publicKey: Buffer;
  readonly storedSeal: StoredSeal | undefined;
}

/** Throws BackupError if the file is not a backup key. */
export function readKeyFile(path: string): BackupKeyFile {
  let text: { format?: string; publicKey?: string; storedSeal?: StoredSeal };
  try {
    text = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new BackupError(`the backup key ${path} cannot be read: ${what}`, { cause: error });
  }
  const publicKey = Buffer.from(text.publicKey ?? "", "base64");
  if (text.format !== format || publicKey.length !== publicKeyBytes) {
    throw new BackupError(`${path} is not a backup key`);
  }
  return { publicKey, storedSeal: text.storedSeal };
}

/** Throws BackupError if there is something at the path. */
export function writeKeyFile(path: string, { publicKey, storedSeal }: BackupKeyFile): void {
  requireAbsent(path);
  const text = { format, publicKey: publicKey.toString("base64"), storedSeal };
  writeFileAtomically(path, `${JSON.stringify(text, null, 2)}\n`, 0o600);
}

/** Throws BackupError if there is something at the path. */
export function requireAbsent(path: string): void {
  if (existsSync(path)) throw new BackupError(`${path} is there already`);
}

/** Makes a backup key under a seal and writes its file. Answers its fingerprint. */
export async function createBackupKey(path: string, source: SealSource, log: Log): Promise<string> {
  requireAbsent(path);
  if (source.settings.kind === "file") requireAbsent(source.settings.path);
  const key = await aboutTheKey(() => readBackupKey(source, undefined, log));
  writeKeyFile(path, key);
  return publicKeyFingerprint(key.publicKey);
}

/**
 * What kind of seal the private half of a backup's key is under. Throws BackupError if that cannot
 * be known.
 */
export function sealKindOf(backupFile: string, file: BackupKeyFile | undefined): SealKind {
  return choose(readHeader(backupFile).wraps, file).storedSeal.kind;
}

/** How the private half of a backup key is to be opened. */
export interface BackupKeyUse {
  /** undefined: the one key in the backup that it carries the seal of. */
  readonly file: BackupKeyFile | undefined;
  readonly sourceOf: (kind: SealKind) => SealSource;
}

/**
 * Opens a backup whose key was wrapped for this backup key, in a key process of its own. Throws
 * BackupError if it was wrapped for others, if the key does not open, or the header was changed.
 */
export async function openWith(
  header: ReadHeader,
  use: BackupKeyUse,
  log: Log,
  to?: SealSource,
): Promise<OpenedBackup> {
  const { wrap, storedSeal } = choose(header.wraps, use.file);
  const source = use.sourceOf(storedSeal.kind);
  const { id } = header;
  const opened = await aboutTheKey(() =>
    openBackup({ source, storedSeal, id, wrap, log, ...(to && { to }) }),
  );
  if (header.holds(opened.headerKey)) return opened;
  await opened.close();
  throw new BackupError("the header of the backup was changed");
}

function choose(
  wraps: readonly BackupWrap[],
  file: BackupKeyFile | undefined,
): { wrap: BackupWrap; storedSeal: StoredSeal } {
  if (file === undefined) {
    const carried = wraps.filter(({ storedSeal }) => storedSeal !== undefined);
    const [wrap] = carried;
    if (carried.length === 1 && wrap?.storedSeal) {
      return { wrap, storedSeal: wrap.storedSeal as StoredSeal };
    }
    throw new BackupError(`name the backup key with --backup-key: ${forWhom(wraps)}`);
  }
  const fingerprint = publicKeyFingerprint(file.publicKey);
  const wrap = wraps.find(({ key }) => key === fingerprint);
  if (wrap === undefined) {
    throw new BackupError(`the backup is not for the backup key ${fingerprint}: ${forWhom(wraps)}`);
  }
  const storedSeal = file.storedSeal ?? (wrap.storedSeal as StoredSeal | undefined);
  if (storedSeal) return { wrap, storedSeal };
  throw new BackupError(`the file of the backup key ${fingerprint} holds its public half only`);
}

function forWhom(wraps: readonly BackupWrap[]): string {
  return `it was made for ${wraps.map(({ key }) => key).join(", ")}`;
}

/** Seals speak of the data folder's root key; here they hold the backup key. */
async function aboutTheKey<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const text = error.message
      .replaceAll("SEALPOST_SEAL_", "SEALPOST_BACKUP_SEAL_")
      .replaceAll("SEALPOST_ROOT_KEY", "SEALPOST_BACKUP_ROOT_KEY")
      .replaceAll("--seal-", "--backup-seal-")
      .replaceAll("this data folder", "this backup key")
      .replaceAll("root key", "backup key");
    throw new BackupError(text, { cause: error });
  }
}
