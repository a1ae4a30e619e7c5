import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { SettingsError } from "../config.ts";
import { type ClientEnvironment, clientEnvironment } from "./env.ts";
import { CliError, type CliIo, settingsFileText, tell } from "./io.ts";
import { type RunningServer, type StartServer, startOrExplain } from "./serve.ts";
import { readSettings } from "./settings.ts";

/** As shells say it: not found, found but not to be run, ended by a signal. */
const exitCodes = { notFound: 127, notRunnable: 126, signal: 128 };

/** What ends a run; a terminal that closes as well, since the folder has to go. */
const stopSignals: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP"];

/**
 * Runs a command against a server of its own: temporary folder, free port, the environment that
 * `sealpost env` prints. Resolves to the command's exit code once server and folder are gone.
 * Throws CliError if server or command cannot be started, SettingsError without a command.
 */
export async function runCommand(
  flags: Readonly<Record<string, unknown>>,
  command: readonly string[],
  io: CliIo,
  loadStart: () => Promise<StartServer>,
): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) {
    throw new SettingsError("run needs a command: sealpost run -- npm test");
  }
  if (flags.data !== undefined) {
    throw new SettingsError("run keeps nothing, so it takes no --data; use serve and env instead");
  }
  const folder = mkdtempSync(join(tmpdir(), "sealpost-run-"));
  const signals = heedSignals(io);
  try {
    const server = await startTemporary(flags, folder, io, await loadStart());
    try {
      if (signals.first() !== undefined) return codeOf(null, signals.first() ?? null);
      const environment = childEnvironment(io, clientEnvironment({ folder, services: false }, io));
      environment.SEALPOST_DATA = folder;
      return await runUntilEnd(program, args, environment, { io, server, signals });
    } finally {
      await server.stop();
    }
  } finally {
    signals.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The caller's flags, but for the place and the port, which are this run's own. */
async function startTemporary(
  flags: Readonly<Record<string, unknown>>,
  folder: string,
  io: CliIo,
  start: StartServer,
): Promise<RunningServer> {
  const settings = readSettings({
    flags: { ...flags, data: folder, port: flags.port ?? 0 },
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
    // The command's output is what the caller wants to read.
    defaults: { logLevel: "warn" },
  });
  for (const warning of settings.warnings) tell(io, `warning: ${warning}`);
  return startOrExplain(start, settings);
}

function childEnvironment(
  io: CliIo,
  client: ClientEnvironment,
): Record<string, string | undefined> {
  const environment: Record<string, string | undefined> = { ...io.environment, ...client.set };
  for (const name of client.unset) delete environment[name];
  return environment;
}

interface Signals {
  /** The first that came. */
  first(): NodeJS.Signals | undefined;
  /** Hands every further one on. */
  forward(to: (signal: NodeJS.Signals) => void): void;
  close(): void;
}

/** From now on signals do not end this process: it has to clean up after the command. */
function heedSignals(io: CliIo): Signals {
  let first: NodeJS.Signals | undefined;
  let forward: ((signal: NodeJS.Signals) => void) | undefined;
  const close = io.onStopSignal((signal = "SIGTERM") => {
    first ??= signal;
    forward?.(signal);
  }, stopSignals);
  return {
    first: () => first,
    forward(to) {
      forward = to;
    },
    close,
  };
}

interface Run {
  readonly io: CliIo;
  readonly server: RunningServer;
  readonly signals: Signals;
}

async function runUntilEnd(
  program: string,
  args: readonly string[],
  environment: Record<string, string | undefined>,
  { io, server, signals }: Run,
): Promise<number> {
  const child = spawn(program, args, {
    stdio: "inherit",
    cwd: io.workingDirectory,
    env: environment,
  });
  const terminal = process.stdin.isTTY === true;
  signals.forward((signal) => {
    // A terminal gives Ctrl-C to its whole foreground group: the command has had it already.
    if (!(terminal && signal === "SIGINT")) child.kill(signal);
  });
  let failure: Error | undefined;
  void server.failed.then((error) => {
    failure = error;
    io.err(`sealpost: the server cannot go on: ${error.message}\n`);
    child.kill("SIGTERM");
  });
  const code = await ended(child, program, io);
  return failure === undefined ? code : 1;
}

function ended(child: ChildProcess, program: string, io: CliIo): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      // A signal that could not be given is no failure to start.
      if (child.pid !== undefined) return;
      const found = error.code !== "ENOENT";
      if (found && error.code !== "EACCES") {
        return reject(new CliError(`run: ${program}: ${error.message}`, { cause: error }));
      }
      io.err(`sealpost: run: ${program}: ${found ? "permission denied" : "command not found"}\n`);
      resolve(found ? exitCodes.notRunnable : exitCodes.notFound);
    });
    child.once("exit", (code, signal) => resolve(codeOf(code, signal)));
  });
}

function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? exitCodes.signal + (signal === null ? 0 : constants.signals[signal]);
}
