import { type Command, Option } from "commander";
import { readServerFile } from "../gateway/server-file.ts";
import type { StoreSpace } from "../kernel/space.ts";
import { askServer } from "./admin-client.ts";
import { CliError, type CliIo, settingsFileText } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";
import { readSettings } from "./settings.ts";
import { addMigrateVerb } from "./shared-store.ts";
import { addCopyVerb } from "./store-copy.ts";
import type { VerbProgram } from "./verify-trail.ts";

/** Steps of a running server, which goes on filling and emptying its file meanwhile. */
const stepsMax = 10_000;

/**
 * `sealpost store compact`: the running server does it beside its work; without one, this process
 * opens the data folder. Each step is told on the error stream.
 */
export function addStoreVerbs(program: Command, context: VerbProgram): void {
  const store = program.command("store").description("look after the store");
  addMigrateVerb(store, context);
  addCopyVerb(store, context);
  const compact = store
    .command("compact")
    .description("give the file's free space back to the file system")
    .addOption(context.dataOption())
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  compact.action(async ({ format }: { format: "text" | "json" }) => {
    const { io, finish } = context;
    const folder = context.folderOf(compact);
    const onStep = (space: StoreSpace) => {
      if (format === "text") io.err(`${spaceText(space)}\n`);
    };
    const server = readServerFile(folder);
    const runs = server !== undefined && io.isAlive(server.pid);
    const space = await (runs ? compactServer : compactFolder)(folder, io, onStep);
    const told = format === "json" ? JSON.stringify(space) : `compacted: ${spaceText(space)}`;
    io.out(`${told}\n`);
    finish(0);
  });
}

type OnStep = (space: StoreSpace) => void;

async function compactServer(folder: string, io: CliIo, onStep: OnStep): Promise<StoreSpace> {
  const server = findServer(folder, io);
  const credentials = findCredentials(folder, io);
  const request = { method: "POST", path: "/_sealpost/store/compact", body: {} } as const;
  let last: StoreSpace | undefined;
  for (let step = 0; step < stepsMax; step++) {
    const answer = await askServer(server, credentials, request, io.now());
    const space = answer as unknown as StoreSpace;
    onStep(space);
    // What becomes free while it runs is used again by the server itself.
    const done = space.freeBytes === 0 || (last && space.fileBytes >= last.fileBytes);
    if (done) return space;
    last = space;
  }
  throw new CliError("the store fills faster than it is compacted; try again in a quiet hour");
}

async function compactFolder(folder: string, io: CliIo, onStep: OnStep): Promise<StoreSpace> {
  const settings = readSettings({
    flags: { data: folder },
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
  });
  const { compactStopped } = await import("../assembly/compact-store.ts");
  try {
    return await compactStopped(settings, io.now, onStep);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CliError(error.message, { cause: error });
  }
}

function spaceText({ fileBytes, freeBytes }: StoreSpace): string {
  return `${mebibytes(fileBytes)} MiB, of them ${mebibytes(freeBytes)} MiB free`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
