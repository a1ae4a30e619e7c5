import { CommanderError } from "commander";
import { SettingsError } from "../config.ts";
import { CliError, type CliIo, packageVersion, processIo, tell } from "./io.ts";
import { buildProgram, type CliParts } from "./program.ts";
import { explainSystemError } from "./system-errors.ts";

/** The command `sealpost`. Ends the process with the verb's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const io = processIo();
  const code = await runCli(argv, io, {
    version: packageVersion(),
    loadStart: async () => (await import("../main.ts")).startServer,
    demo: async () => (await import("./demo.ts")).runDemo(io),
  });
  io.exit(code);
}

/**
 * Runs one command line; resolves to its exit code: 0 done, 1 it could not be done, 2 it was not
 * understood.
 */
export async function runCli(argv: readonly string[], io: CliIo, parts: CliParts): Promise<number> {
  let code = 0;
  try {
    const { own, command } = splitCommand(argv);
    const program = buildProgram(io, { ...parts, command }, (finished) => {
      code = finished;
    });
    await program.parseAsync(own, { from: "user" });
    return code;
  } catch (error) {
    // Help and version end by an error as well, with exit code 0; it is printed already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof SettingsError) {
      tell(io, `sealpost: ${error.message}`);
      return 2;
    }
    if (error instanceof CliError) {
      tell(io, `sealpost: ${error.message}`);
      return 1;
    }
    const explained = explainSystemError(error);
    if (explained !== undefined) {
      tell(io, `sealpost: ${explained}`);
      return 1;
    }
    io.err(
      `sealpost: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return 1;
  }
}

/** `run … -- CMD ARGS…`: what stands behind the dashes is not ours to read. */
function splitCommand(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly command: readonly string[];
} {
  const dashes = argv[0] === "run" ? argv.indexOf("--") : -1;
  if (dashes < 0) return { own: argv, command: [] };
  return { own: argv.slice(0, dashes), command: argv.slice(dashes + 1) };
}
