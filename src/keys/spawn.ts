import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SealReach } from "../seals/stored.ts";
import { codeFolders } from "./code-folders.ts";

const shell = "/bin/sh";
/** `exec` keeps the pid: the key process stays a direct child. */
const withoutCoreDumps = 'ulimit -c 0; exec "$0" "$@"';

/** One heap of glibc for all threads: 4 MiB less, and nothing in it competes for memory. */
const fewArenas = { MALLOC_ARENA_MAX: "1" };

/** A user of the machine, by numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface SpawnOptions {
  /** Pipes for the helpers of seals. */
  readonly helperPipeCount?: number;
  /** Descriptor of the log of uses; it is given on as the only file that is open. */
  readonly useLog?: number | "ignore";
  /** Whose the process is, if not this one's user's; only root can start it. */
  readonly owner?: Owner | undefined;
}

/**
 * Starts a key process: no rights but to read its own code and what the seal reaches, no
 * environment of ours (NODE_OPTIONS could load code or open the inspector), no core dumps
 * where there is a shell to say so, a small heap. Helpers of seals get a pipe to it each.
 */
export function spawnKeyProcess(
  entry: URL,
  reach: SealReach,
  { helperPipeCount = 0, useLog = "ignore", owner }: SpawnOptions = {},
): ChildProcess {
  const cache = compileCache(entry);
  const read = [...codeFolders(entry), ...reach.read, ...cache];
  const write = [...reach.write, ...cache];
  const args = [
    "--permission",
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
    // Nothing follows a link to a path that is not granted.
    "--preserve-symlinks",
    "--disable-sigusr1",
    "--max-semi-space-size=2",
    "--max-old-space-size=64",
    fileURLToPath(entry),
  ];
  const env = { ...fewArenas, ...(cache[0] && { NODE_COMPILE_CACHE: cache[0] }) };
  const helperPipes = Array.from({ length: helperPipeCount }, () => "pipe" as const);
  const stdio: StdioOptions = ["ignore", "ignore", "pipe", "pipe", useLog, ...helperPipes];
  // Another user may not be let into the folder that this process works in.
  const options = { env, stdio, ...(owner && { ...owner, cwd: "/" }) };
  if (!existsSync(shell)) return spawn(process.execPath, args, options);
  return spawn(shell, ["-c", withoutCoreDumps, process.execPath, ...args], options);
}

/**
 * From sources only: with stripped types kept, the child starts in half the time and holds 16 MB
 * less. The folder lies in the clone, so whoever can change it could change the sources as well;
 * Node's default in the shared temporary folder is no place for code that sees keys.
 */
function compileCache(entry: URL): string[] {
  if (!entry.pathname.endsWith(".ts")) return [];
  const folder = fileURLToPath(new URL("../../node_modules/.cache/sealpost/", entry));
  try {
    // The permission model grants a folder's contents only if the folder is there.
    mkdirSync(folder, { recursive: true });
    return [folder];
  } catch {
    return [];
  }
}
