import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import { type PostgresBinaries, postgresBinaries, postgresUser } from "./binaries.ts";

/** A real PostgreSQL of this test process: one data folder, one port, started and killed at will. */
export interface PostgresCluster {
  readonly port: number;
  readonly dataFolder: string;
  /** Address of a store in a schema of its own that does not exist yet. */
  newStoreUrl(options?: string): string;
  /** Address of the database itself, for a test's own statements. */
  readonly url: string;
  /** Runs statements over a connection of their own. */
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  start(): Promise<void>;
  /** As a supervisor does: starts it where it ended by itself; answers once it takes statements. */
  keepUp(): Promise<void>;
  /** kill -9 of the server and all its processes; what was not synced is lost with the caches. */
  kill(): Promise<void>;
  /** Stops it in good order and leaves its folder. */
  halt(): Promise<void>;
  /** Stops it if it runs, and removes its folder. */
  stop(): Promise<void>;
  /** From now on it keeps no process alive, and ends with this one: nobody has to stop it. */
  endWithProcess(): void;
}

/**
 * Quick for many small tests, with nothing that durability means turned off: fsync and full page
 * writes are as they are by default.
 */
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 64MB
max_wal_size = 256MB
wal_level = replica
jit = off
log_min_messages = fatal
timezone = 'UTC'
`;

export interface ClusterOptions {
  /** Further lines of postgresql.conf. */
  readonly settings?: string;
  /** Where its folder is made; default the folder for temporary files. */
  readonly parent?: string;
  /** Further flags of `initdb`. */
  readonly flags?: readonly string[];
  /** Instead of `initdb`: fills the data folder (a standby's copy). */
  readonly fill?: (dataFolder: string) => Promise<void>;
}

let schemas = 0;

/** Makes a cluster and starts it. Stop it in any case; it also ends with this process. */
export async function startCluster(options: ClusterOptions = {}): Promise<PostgresCluster> {
  const binaries = postgresBinaries();
  const folder = mkdtempSync(join(options.parent ?? tmpdir(), "sealpost-postgres-"));
  const dataFolder = join(folder, "data");
  const port = await freePort();
  makeFolder(folder, dataFolder);
  if (options.fill) await options.fill(dataFolder);
  else initialise(binaries, dataFolder, options.flags);
  appendFileSync(
    join(dataFolder, "postgresql.conf"),
    `${settings}${options.settings ?? ""}\nport = ${port}\n`,
  );
  const url = `postgres://sealpost@127.0.0.1:${port}/postgres`;
  const server: { process?: ChildProcess } = {};
  const cluster: PostgresCluster = {
    port,
    dataFolder,
    url,
    newStoreUrl(more = "") {
      schemas += 1;
      return `${url}?schema=sealpost_${process.pid}_${schemas}${more}`;
    },
    sql: (text) => runSql(url, text),
    async start() {
      server.process = launch(binaries.postgres, dataFolder, folder);
      await untilReady(url, server.process, folder);
    },
    async keepUp() {
      for (;;) {
        try {
          if (server.process?.exitCode !== null) await cluster.start();
          await cluster.sql("SELECT 1");
          return;
        } catch {
          await pause(50);
        }
      }
    },
    async kill() {
      await end(server.process, dataFolder, "SIGKILL");
    },
    async halt() {
      await end(server.process, dataFolder, "SIGINT");
    },
    async stop() {
      await end(server.process, dataFolder, "SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
    endWithProcess() {
      server.process?.unref();
      if (server.process) leash(server.process)?.unref();
      process.once("exit", () => {
        killAll(dataFolder);
        rmSync(folder, { recursive: true, force: true });
      });
    },
  };
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

function makeFolder(...folders: readonly string[]): void {
  const user = postgresUser();
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user) chownSync(folder, user.uid, user.gid);
  }
}

function initialise(
  binaries: PostgresBinaries,
  dataFolder: string,
  more: readonly string[] = [],
): void {
  const flags = ["--auth=trust", "--username=sealpost", "--encoding=UTF8", "--locale=C", ...more];
  const made = spawnSync(
    binaries.initdb,
    [`--pgdata=${dataFolder}`, "--no-sync", "--no-instructions", ...flags],
    { ...postgresUser(), encoding: "utf8", cwd: dataFolder },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr} ${made.error ?? ""}`);
}

/**
 * The shell between ends the server when this process is gone, however it went: its input closes.
 */
function launch(postgres: string, dataFolder: string, folder: string): ChildProcess {
  const script =
    '"$0" -D "$1" >>"$2" 2>&1 </dev/null & child=$!\n' +
    '(read -r _; kill -QUIT "$child") <&3 &\nexec 3<&-\nwait "$child"';
  const shell = spawn("/bin/sh", ["-c", script, postgres, dataFolder, join(folder, "log")], {
    ...postgresUser(),
    cwd: dataFolder,
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  // Also where the server ended by itself: who reads there would never end, nor would this process.
  shell.once("exit", () => leash(shell)?.destroy());
  return shell;
}

async function untilReady(url: string, process: ChildProcess, folder: string): Promise<void> {
  for (;;) {
    try {
      await runSql(url, "SELECT 1");
      return;
    } catch (error) {
      if (process.exitCode !== null) {
        const log = readFileSync(join(folder, "log"), "utf8");
        throw new Error(`PostgreSQL did not start: ${log}`, { cause: error });
      }
      await pause(20);
    }
  }
}

async function end(
  shell: ChildProcess | undefined,
  dataFolder: string,
  signal: "SIGKILL" | "SIGQUIT" | "SIGINT",
): Promise<void> {
  if (!shell || shell.exitCode !== null) return;
  const ended = once(shell, "exit");
  const postmaster = postmasterOf(dataFolder);
  if (postmaster === undefined) shell.kill("SIGKILL");
  else if (signal === "SIGKILL") killAll(dataFolder);
  else kill(postmaster, signal);
  await ended;
}

/** Its workers would outlive it: they go first, so that none finishes what it does. */
function killAll(dataFolder: string): void {
  const postmaster = postmasterOf(dataFolder);
  if (postmaster === undefined) return;
  for (const pid of [...childrenOf(postmaster), postmaster]) kill(pid, "SIGKILL");
}

/** The input whose end ends the server. */
function leash(shell: ChildProcess): Socket | undefined {
  return (shell.stdio[3] as Socket | null | undefined) ?? undefined;
}

function postmasterOf(dataFolder: string): number | undefined {
  try {
    return Number(readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n")[0]);
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  try {
    return readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself.
  }
}

async function runSql(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    const result = await client.query(text);
    return result.rows ?? [];
  } finally {
    await client.end();
  }
}
