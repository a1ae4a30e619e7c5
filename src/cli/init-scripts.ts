import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import type { InitProgress } from "../assembly/localstack/routes.ts";
import { CliError, type CliIo } from "./io.ts";

/** Where LocalStack's users put what shall run once it is ready. */
export const readyHookFolder = "/etc/localstack/init/ready.d";

export interface InitRun {
  readonly folders: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `/_localstack/init` tells. */
  readonly progress: InitProgress;
  /** Ends the script under way and starts no further one. */
  readonly signal: AbortSignal;
}

interface Script {
  readonly name: string;
  readonly path: string;
}

/**
 * Runs the executable files of the folders in order of name, files before the folders beside them.
 * One that fails is named and the others still run, as LocalStack does it. Throws CliError for a
 * folder that cannot be read.
 */
export async function runInitScripts(run: InitRun, io: CliIo): Promise<void> {
  const { progress, signal } = run;
  const scripts = run.folders.flatMap((folder) => scriptsOf(folder, folder, io));
  progress.scripts = scripts.map(({ name }) => ({ name, state: "UNKNOWN" }));
  for (const [index, script] of scripts.entries()) {
    const state = progress.scripts[index];
    if (signal.aborted || !state) break;
    const count = `${index + 1}/${scripts.length}`;
    io.err(`init ${count}: ${script.name}\n`);
    state.state = "RUNNING";
    const start = io.now();
    const failure = await runScript(script, run, io);
    state.state = failure === undefined ? "SUCCESSFUL" : "ERROR";
    const seconds = ((io.now() - start) / 1000).toFixed(1);
    io.err(
      failure === undefined
        ? `init ${count}: ${script.name} done (${seconds} s)\n`
        : `init ${count}: ${script.name} FAILED: ${failure} (${script.path})\n`,
    );
  }
  progress.completed = true;
}

function scriptsOf(folder: string, top: string, io: CliIo): Script[] {
  let entries: ReturnType<typeof readFolder>;
  try {
    entries = readFolder(folder);
  } catch (error) {
    throw new CliError(`--init: ${(error as Error).message}`, { cause: error });
  }
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => ({ name: relative(top, join(folder, name)), path: join(folder, name) }))
    .filter((script) => isExecutable(script, io));
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => scriptsOf(join(folder, name), top, io));
  return [...files, ...folders];
}

function readFolder(folder: string) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isExecutable({ name, path }: Script, io: CliIo): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // A script that was meant to run and does not is a riddle; a text beside it is none.
    if (/\.(sh|py)$/.test(name)) io.err(`init: ${name} is not executable: chmod +x ${path}\n`);
    return false;
  }
}

/** Resolves to why it failed; undefined if it did not. */
function runScript(script: Script, run: InitRun, io: CliIo): Promise<string | undefined> {
  const child: ChildProcess = spawn(script.path, [], {
    stdio: ["ignore", "inherit", "inherit"],
    cwd: io.workingDirectory,
    env: run.environment,
  });
  const end = () => child.kill("SIGTERM");
  run.signal.addEventListener("abort", end, { once: true });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => {
      run.signal.removeEventListener("abort", end);
      if (code === 0) resolve(undefined);
      else resolve(code === null ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
}

/**
 * A PATH on which scripts find `awslocal`: where there is none but an AWS CLI, a small one is put
 * into `folder`.
 */
export function pathWithAwslocal(path: string, folder: string): string {
  const has = (command: string) =>
    path.split(delimiter).some((place) => place !== "" && existsSync(join(place, command)));
  if (has("awslocal") || !has("aws")) return path;
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true, mode: 0o700 });
  const script = '#!/bin/sh\nexec aws --endpoint-url="$AWS_ENDPOINT_URL" "$@"\n';
  writeFileSync(join(bin, "awslocal"), script, { mode: 0o755 });
  return `${bin}${delimiter}${path}`;
}
