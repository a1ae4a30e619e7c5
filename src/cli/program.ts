import { Command, Option } from "commander";
import { settingsTable } from "../config.ts";
import { addAccountVerbs } from "./accounts.ts";
import { addBackupVerbs } from "./backup.ts";
import { advanceClock, showClock } from "./clock.ts";
import { addCostVerb } from "./cost.ts";
import { addDeliveryVerbs } from "./deliveries.ts";
import { addDoctorVerbs } from "./doctor.ts";
import { parseDurationSeconds } from "./duration.ts";
import { printEnv } from "./env.ts";
import { type CliIo, settingsFileText } from "./io.ts";
import { addSettingOptions, settingFlags } from "./options.ts";
import { addRestoreVerb } from "./restore.ts";
import { runCommand } from "./run.ts";
import { addSealVerbs } from "./seal.ts";
import { type StartServer, serve } from "./serve.ts";
import { readDataFolder } from "./settings.ts";
import { addStoreVerbs } from "./store.ts";
import { addTrailVerbs } from "./trail-cat.ts";
import { addVerifyTrailVerb } from "./verify-trail.ts";

/** What the verbs start; loaded when needed, since each brings much code. */
export interface CliParts {
  readonly version: string;
  readonly loadStart: () => Promise<StartServer>;
  /** The clinic scenario; resolves to the exit code. */
  readonly demo: () => Promise<number>;
}

/** The command line. `finish` gets the exit code of the verb that ran. */
export function buildProgram(
  io: CliIo,
  parts: CliParts & { readonly command?: readonly string[] },
  finish: (code: number) => void,
): Command {
  const program = new Command("sealpost")
    .description("Encrypted topics and queues that speak the AWS wire")
    .version(parts.version, "-V, --version")
    // A verb with verbs below it (backup) shares names of options with them.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    // Long flags leave little room beside them on 80 columns; the text is folded all the same.
    .configureHelp({ minWidthToWrap: 24 });

  const serveVerb = program.command("serve").description("run the server until it is stopped");
  addSettingOptions(serveVerb);
  serveVerb.action(async () => {
    finish(await serve(settingFlags(serveVerb), io, parts.version, parts.loadStart));
  });

  addRunVerb(program, io, parts, finish);
  addEnvVerb(program, io, finish);
  program
    .command("demo")
    .description("show the clinic scenario against a temporary server")
    .action(async () => finish(await parts.demo()));
  addClockVerbs(program, io, finish);
  const tools = { io, finish, dataOption, folderOf: (verb: Command) => folderOf(verb, io) };
  addAccountVerbs(program, tools);
  addDoctorVerbs(program, tools);
  addDeliveryVerbs(program, tools);
  addCostVerb(program, tools);
  addVerifyTrailVerb(program, tools);
  addTrailVerbs(program, tools);
  addSealVerbs(program, tools);
  addStoreVerbs(program, tools);
  addBackupVerbs(program, tools);
  addRestoreVerb(program, tools);
  hintAtHelp(program, "sealpost");
  return program;
}

/** What was not understood is answered with where to look. */
function hintAtHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(${name} --help shows what there is)`);
  for (const verb of command.commands) hintAtHelp(verb, `${name} ${verb.name()}`);
}

function addRunVerb(
  program: Command,
  io: CliIo,
  parts: CliParts & { readonly command?: readonly string[] },
  finish: (code: number) => void,
): void {
  const verb = program
    .command("run")
    .description("run a command against a temporary server, and end with its exit code")
    .usage("[options] -- COMMAND [ARGUMENTS...]")
    .argument("[command...]", "what to run; behind `--` it keeps its own flags");
  addSettingOptions(verb);
  verb.action(async (words: readonly string[]) => {
    const command = [...words, ...(parts.command ?? [])];
    finish(await runCommand(settingFlags(verb), command, io, parts.loadStart));
  });
}

function addEnvVerb(program: Command, io: CliIo, finish: (code: number) => void): void {
  const verb = program
    .command("env")
    .description("print the environment that leads AWS clients to the running server")
    .addOption(dataOption())
    .option("--services", "name the services one by one; others still go to AWS")
    .addOption(new Option("--format <FORMAT>", "form").choices(["shell", "json"]).default("shell"));
  verb.action((options: { services?: boolean; format: "shell" | "json" }) => {
    const folder = folderOf(verb, io);
    printEnv({ folder, services: options.services === true, format: options.format }, io);
    finish(0);
  });
}

function addClockVerbs(program: Command, io: CliIo, finish: (code: number) => void): void {
  const clock = program.command("clock").description("show or move the service clock");
  const format = () =>
    new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text");
  const show = clock.command("show").description("print the service time").addOption(dataOption());
  show.addOption(format()).action(async (options: { format: "text" | "json" }) => {
    await showClock({ folder: folderOf(show, io), format: options.format }, io);
    finish(0);
  });
  const advance = clock
    .command("advance")
    .description("move the virtual clock and run what becomes due")
    .argument("<duration>", "300s, 5m, 2h, 90d, 10y", parseDurationSeconds)
    .addOption(dataOption())
    .addOption(format());
  advance.action(async (seconds: number, options: { format: "text" | "json" }) => {
    await advanceClock(seconds, { folder: folderOf(advance, io), format: options.format }, io);
    finish(0);
  });
}

function dataOption(): Option {
  const { value, description, default: fallback } = settingsTable.data;
  return new Option(`--data <${value}>`, `${description} (default ${fallback})`);
}

function folderOf(verb: Command, io: CliIo): string {
  return readDataFolder({
    flags: { data: verb.getOptionValue("data") },
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
  });
}
