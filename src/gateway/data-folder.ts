import { chmodSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "../kernel/clock.ts";
import { makeFolder, readFileIfThere, writeFileAtomically } from "./files.ts";
import { settleRestore } from "./folder-swap.ts";
import { readServerFile } from "./server-file.ts";

/** A data folder that cannot be used; the process says why and exits 1. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** What is fixed for an installation at its first start. */
export interface Installation {
  readonly clock: "system" | "virtual";
  /** The operator account. */
  readonly accountId: string;
  /** Default region at the first start; requests may name any. */
  readonly region: string;
  /** Set if everybody knows the root credentials of this folder. */
  readonly preset?: "localstack" | undefined;
  /** System time, ISO 8601. */
  readonly createdAt: string;
}

export interface DataFolder {
  readonly path: string;
  readonly installation: Installation;
  /** True if this start made the installation. */
  readonly fresh: boolean;
  /** Offset of the virtual clock that earlier runs reached. */
  readonly clockOffsetMs: number;
  saveClockOffset(offsetMs: number): void;
  /** Lets another process have the folder. */
  close(): void;
}

export interface DataFolderOptions {
  readonly path: string;
  readonly clock: "system" | "virtual";
  readonly accountId: string;
  readonly region: string;
  readonly preset?: "localstack" | undefined;
  readonly now: EpochMs;
}

/**
 * Opens the data folder for this process alone, making it (mode 0700) if there is none. Throws
 * DataFolderError if another process holds it, or if it belongs to another clock or account.
 */
export function openDataFolder(options: DataFolderOptions): DataFolder {
  const { path } = options;
  const lock = lockDataFolder(path);
  try {
    const clockFile = join(path, "clock.json");
    const installationFile = join(path, "installation.json");
    const stored = readFileIfThere(installationFile);
    const installation = stored === undefined ? newInstallation(options) : parseStored(stored);
    checkBelongs(installation, options);
    // A server that was killed leaves its server.json behind; the lock proves that it is gone.
    rmSync(join(path, "server.json"), { force: true });
    if (stored === undefined) {
      writeFileAtomically(installationFile, `${JSON.stringify(installation, null, 2)}\n`, 0o600);
    }
    return {
      path,
      installation,
      fresh: stored === undefined,
      clockOffsetMs: installation.clock === "virtual" ? readOffset(clockFile) : 0,
      saveClockOffset: (offsetMs) =>
        writeFileAtomically(clockFile, `${JSON.stringify({ offsetMs })}\n`, 0o600),
      close: () => lock.close(),
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Holds a folder for this process alone, making it if there is none, and ends a restore that was
 * cut off. Throws DataFolderError if another process holds it.
 */
export function lockDataFolder(path: string): { close(): void } {
  makeFolder(path);
  chmodSync(path, 0o700);
  const lock = takeLock(path);
  try {
    settleRestore(path);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * INVARIANT: nothing else in this process opens DIR/lock: POSIX drops a process's locks on a file
 * when any of its descriptors for it is closed. The lock dies with the process, also at kill -9.
 */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, "lock"), { timeout: 0 });
  try {
    // Nothing is ever written, so a journal in memory will do: no second file beside the lock.
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!/locked/.test((error as Error).message)) throw error;
    const holder = readServerFile(path);
    const who = holder === undefined ? "another server" : `another server (pid ${holder.pid})`;
    throw new DataFolderError(
      `${who} holds the data folder ${path}: stop it, or name another folder with --data`,
    );
  }
}

/**
 * What is fixed for the installation in a folder. Throws DataFolderError if it cannot be read, the
 * system's error if there is none.
 */
export function readInstallation(path: string): Installation {
  return parseStored(readFileSync(join(path, "installation.json"), "utf8"));
}

function newInstallation(options: DataFolderOptions): Installation {
  return {
    clock: options.clock,
    accountId: options.accountId,
    region: options.region,
    ...(options.preset ? { preset: options.preset } : {}),
    createdAt: new Date(options.now).toISOString(),
  };
}

function parseStored(text: string): Installation {
  let value: Partial<Installation> | null = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below, together with a well-formed text that is no installation.
  }
  const { clock, accountId, region, createdAt } = value ?? {};
  const texts = [accountId, region, createdAt].every((member) => typeof member === "string");
  if (!texts || (clock !== "system" && clock !== "virtual")) {
    throw new DataFolderError("installation.json in the data folder is damaged");
  }
  return value as Installation;
}

function checkBelongs(installation: Installation, options: DataFolderOptions): void {
  if (installation.clock !== options.clock) {
    throw new DataFolderError(
      `the data folder ${options.path} belongs to the ${installation.clock} clock for ever; ` +
        `start with --clock ${installation.clock} or take another folder`,
    );
  }
  if (installation.preset !== options.preset) {
    const { preset } = installation;
    throw new DataFolderError(
      preset === undefined
        ? `the data folder ${options.path} was made without --preset; its credentials stay secret`
        : `everybody knows the root credentials of the data folder ${options.path}: it can only ` +
            `be started with --preset ${preset}`,
    );
  }
  if (installation.accountId !== options.accountId) {
    throw new DataFolderError(
      `the data folder ${options.path} belongs to the operator account ` +
        `${installation.accountId}; start with --account ${installation.accountId}`,
    );
  }
}

function readOffset(clockFile: string): number {
  const text = readFileIfThere(clockFile);
  if (text === undefined) return 0;
  const match = /^\{"offsetMs":(\d{1,16})\}\n$/.exec(text);
  if (match === null) throw new DataFolderError("clock.json in the data folder is damaged");
  return Number(match[1]);
}
