import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { configFileName } from "../config.ts";
import type { EpochMs } from "../kernel/clock.ts";
import { sealSecretNames } from "../seals/flags.ts";
import { askSecret } from "./ask-secret.ts";
import { fold } from "./fold.ts";

/** The process as the command line sees it; handed in, so that tests need no process. */
export interface CliIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** `out` is a terminal, which shows colours. */
  readonly terminal?: boolean;
  /** Width of the terminal that shows `err`; absent: it is none, and lines are not folded. */
  readonly columns?: number | undefined;
  readonly now: () => EpochMs;
  /** Calls back at each SIGTERM or SIGINT, or at these signals. The answer stops listening. */
  readonly onStopSignal: (
    listener: (signal?: NodeJS.Signals) => void,
    signals?: readonly NodeJS.Signals[],
  ) => () => void;
  /** Asks the person at the terminal, unseen; undefined: there is nobody. */
  readonly askSecret?: (question: string) => Promise<string | undefined>;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** True if the process with this id lives. */
  readonly isAlive: (pid: number) => boolean;
}

/** The real process. The only place of the command line that touches it. */
export function processIo(): CliIo {
  return {
    environment: takeEnvironment(),
    workingDirectory: process.cwd(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stdout.isTTY === true,
    columns: process.stderr.isTTY ? process.stderr.columns : undefined,
    now: () => Date.now(),
    onStopSignal(listener, signals = ["SIGTERM", "SIGINT"]) {
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
    askSecret,
    exit: (code) => process.exit(code),
    isAlive(pid) {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
      }
    },
  };
}

/** Secrets of the seal leave the environment: children and dumps of it would show them. */
function takeEnvironment(): CliIo["environment"] {
  const environment = { ...process.env };
  for (const name of Object.values(sealSecretNames)) delete process.env[name];
  return environment;
}

/** Text of the settings file in the working directory, if there is one. */
export function settingsFileText(io: CliIo): string | undefined {
  const path = join(io.workingDirectory, configFileName);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** A verb could not do its work: the message is for the user, the exit code is 1. */
export class CliError extends Error {
  override readonly name = "CliError";
}

/** The package's version. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** A sentence for the person at the keyboard, folded where a terminal shows it. */
export function tell(io: Pick<CliIo, "err" | "columns">, text: string): void {
  io.err(`${io.columns === undefined ? text : fold(text, io.columns, "  ")}\n`);
}
