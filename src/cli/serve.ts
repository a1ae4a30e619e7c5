import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InitProgress } from "../assembly/localstack/routes.ts";
import { type Settings, SettingsError } from "../config.ts";
import type { PreparedKeyProcesses } from "../keys/prepared.ts";
import { runsInContainer } from "./container.ts";
import { credentialsPath } from "./credentials-file.ts";
import { clientEnvironment } from "./env.ts";
import { type InitRun, pathWithAwslocal, readyHookFolder, runInitScripts } from "./init-scripts.ts";
import { CliError, type CliIo, settingsFileText, tell } from "./io.ts";
import { prepareKeyUser } from "./key-user.ts";
import { boundOldGeneration } from "./old-generation.ts";
import { readSettings } from "./settings.ts";
import { shellQuote } from "./shell.ts";
import { explainSystemError } from "./system-errors.ts";
import { boundYoungGeneration } from "./young-generation.ts";

export interface RunningServer {
  readonly httpsUrl: string;
  /** undefined with --tls-only. */
  readonly httpUrl: string | undefined;
  readonly endpoints?: readonly { readonly endpointId: string; readonly httpsUrl: string }[];
  /** True: it serves nothing until its seal is there, and then opens by itself. */
  readonly sealed?: boolean;
  /** Settles if the server can go on no longer. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export type StartServer = (
  settings: Settings,
  /** `init`: told to whoever asks how far the start is. `prepared`: see `prepareKeyUser`. */
  options?: {
    readonly init?: Readonly<InitProgress>;
    readonly prepared?: PreparedKeyProcesses | undefined;
  },
) => Promise<RunningServer>;

/** A stop that takes longer is given up: supervisors kill after ten seconds. */
const stopMsMax = 9_500;

/**
 * Runs the server until a signal stops it; resolves to the exit code. A second signal ends the
 * process at once.
 */
export async function serve(
  flags: Readonly<Record<string, unknown>>,
  io: CliIo,
  version: string,
  loadStart: () => Promise<StartServer>,
): Promise<number> {
  await using scope = new AsyncDisposableStack();
  const given = readSettings({
    flags,
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
    inContainer: runsInContainer(io.environment),
    freshFolder() {
      const folder = mkdtempSync(join(tmpdir(), "sealpost-preset-"));
      scope.defer(() => rmSync(folder, { recursive: true, force: true }));
      return folder;
    },
  });
  for (const warning of given.warnings) tell(io, `warning: ${warning}`);
  const stopSignal = listenForStop(io);
  scope.defer(stopSignal.close);
  const settings = await withPassphrase(given, io);
  const init: InitProgress = { completed: false, scripts: [] };
  const prepared = prepareKeyUser(settings);
  scope.defer(() => prepared?.close());
  const start = await loadStart();
  const server = await startOrExplain((chosen) => start(chosen, { init, prepared }), settings);
  boundYoungGeneration();
  boundOldGeneration();
  io.out(banner(settings, server, version));
  const stopping = new AbortController();
  const initialised = initialise(settings, server, { progress: init, signal: stopping.signal }, io);
  const failure = await Promise.race([stopSignal.first, server.failed, initialised]);
  stopping.abort();
  if (failure !== undefined) io.err(`sealpost: the server cannot go on: ${failure.message}\n`);
  const code = await stopInTime(server, io);
  return failure === undefined ? code : 1;
}

/** Runs the scripts of the start, then says `Ready.`. Settles only with a failure. */
async function initialise(
  settings: Settings,
  server: RunningServer,
  run: Pick<InitRun, "progress" | "signal">,
  io: CliIo,
): Promise<Error> {
  const isPreset = settings.preset !== undefined;
  const folders = settings.init === undefined ? [] : [settings.init];
  if (isPreset && existsSync(readyHookFolder)) folders.push(readyHookFolder);
  try {
    // Without scripts the server needs nobody's credentials.
    const environment = folders.length > 0 ? initEnvironment(settings, server, io) : {};
    await runInitScripts({ ...run, folders, environment }, io);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  // LocalStack's line, which containers are waited for by.
  if (isPreset && !run.signal.aborted) io.out("Ready.\n");
  return new Promise(() => {});
}

function initEnvironment(settings: Settings, server: RunningServer, io: CliIo) {
  const { set, unset } = clientEnvironment({ folder: settings.data, services: false }, io);
  const environment: Record<string, string | undefined> = { ...io.environment, ...set };
  for (const name of unset) delete environment[name];
  environment.SEALPOST_DATA = settings.data;
  if (settings.preset !== undefined && server.httpUrl !== undefined) {
    const { host, hostname, port } = new URL(server.httpUrl);
    Object.assign(environment, {
      AWS_ENDPOINT_URL: server.httpUrl,
      LOCALSTACK_HOST: host,
      LOCALSTACK_HOSTNAME: hostname,
      EDGE_PORT: port,
      PATH: pathWithAwslocal(environment.PATH ?? "", settings.data),
    });
  }
  return environment;
}

/** The passphrase of the seal, asked for where nothing else names it. */
async function withPassphrase(settings: Settings, io: CliIo): Promise<Settings> {
  const { seal, sealPassphraseFile, sealSecrets } = settings;
  if (seal !== "passphrase" || sealPassphraseFile || sealSecrets.passphrase) return settings;
  const passphrase = await io.askSecret?.("Passphrase of the seal: ");
  if (!passphrase) return settings;
  return Object.freeze({ ...settings, sealSecrets: { ...sealSecrets, passphrase } });
}

/** Throws CliError with the reason alone; at log level debug what was thrown. */
export async function startOrExplain(
  start: StartServer,
  settings: Settings,
): Promise<RunningServer> {
  try {
    return await start(settings);
  } catch (error) {
    // The operator gets the reason; a developer the stack as well.
    if (error instanceof SettingsError || settings.logLevel === "debug") throw error;
    if (!(error instanceof Error)) throw error;
    throw new CliError(explainSystemError(error) ?? error.message, { cause: error });
  }
}

function listenForStop(io: CliIo): { readonly first: Promise<undefined>; close(): void } {
  let signals = 0;
  let resolveFirst = (): void => {};
  const first = new Promise<undefined>((resolve) => {
    resolveFirst = () => resolve(undefined);
  });
  const close = io.onStopSignal(() => {
    signals++;
    if (signals === 1) resolveFirst();
    // 128 + SIGINT, as shells say it.
    else io.exit(130);
  });
  return { first, close };
}

async function stopInTime(server: RunningServer, io: CliIo): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), stopMsMax);
  });
  const outcome = await Promise.race([server.stop(), late]);
  clearTimeout(timer);
  if (outcome !== "late") return 0;
  io.err("sealpost: the server did not stop in time\n");
  return 1;
}

/** What a person needs after the start: addresses, credentials, the line to paste. */
function banner(settings: Settings, server: RunningServer, version: string): string {
  const http = server.httpUrl ?? "off (--tls-only)";
  const virtual = settings.clock === "virtual" ? ", moved by `sealpost clock`" : "";
  const file = credentialsPath(settings.data);
  // Taken away once there are users, as the guide says.
  const credentials = existsSync(file)
    ? `${file} (profile sealpost)`
    : "not in the folder: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
  const ca = settings.tlsCert ?? join(settings.data, "ca.pem");
  return [
    `Sealpost ${version} is ${server.sealed ? "sealed, and opens once its seal is there" : "ready"}`,
    `  HTTPS        ${server.httpsUrl}`,
    `  HTTP         ${http}`,
    ...(server.endpoints ?? []).map(
      ({ endpointId, httpsUrl }) => `  private      ${httpsUrl} (${endpointId})`,
    ),
    `  certificate  ${ca}`,
    `  credentials  ${credentials}`,
    `  clock        ${settings.clock}${virtual}`,
    ...(settings.preset ? [`  preset       ${settings.preset}`] : []),
    "In another shell:",
    `  eval "$(npx sealpost env --data ${shellQuote(settings.data)})"`,
    "",
  ].join("\n");
}
