import { type Command, Option } from "commander";
import { CliError, type CliIo, settingsFileText } from "./io.ts";
import { explained, logOf, storeOption } from "./seal.ts";
import { readSettings } from "./settings.ts";
import type { VerbProgram } from "./verify-trail.ts";

/** `store migrate`: before the servers of a new version start, or instead of the first of them. */
export function addMigrateVerb(store: Command, { io, finish, dataOption }: VerbProgram): void {
  const verb = store
    .command("migrate")
    .description("bring the schema of a store up to this version, as a start does")
    .addOption(storeOption())
    .addOption(dataOption());
  verb.action(async () => {
    const { store: choice, data: dataFolder } = settingsOf(verb, io);
    const { openStore } = await import("../assembly/open-store.ts");
    const log = await logOf(io);
    await explained(async () =>
      (await openStore({ store: choice, dataFolder, log, systemNowMs: io.now })).close(),
    );
    io.out("the store has the schema of this version\n");
    finish(0);
  });
}

/** `doctor store`. Exit codes: 0 the database has all that is needed, 1 something is missing. */
export function addDoctorStoreVerb(
  doctor: Command,
  { io, finish }: Pick<VerbProgram, "io" | "finish">,
): void {
  const verb = doctor
    .command("store")
    .description("ask a database for every feature that the shared store uses")
    .addOption(storeOption())
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  verb.action(async ({ format }: { format: "text" | "json" }) => {
    const { store } = settingsOf(verb, io);
    if (store === "sqlite") throw new CliError("name a database: --store postgres://…");
    const { probeDatabase } = await import("../stores/postgres/probe.ts");
    const probed = await explained(() => probeDatabase(store));
    const report = probed.map(({ feature: { name, why }, missing }) => ({
      ...{ feature: name, why },
      missing: missing ?? null,
    }));
    const lines = report.map(({ feature, why, missing }) =>
      missing === null ? `has      ${feature}` : `MISSING  ${feature}: ${missing} (${why})`,
    );
    io.out(format === "json" ? `${JSON.stringify(report)}\n` : `${lines.join("\n")}\n`);
    finish(report.every(({ missing }) => missing === null) ? 0 : 1);
  });
}

function settingsOf(verb: Command, io: CliIo) {
  const named = ["data", "store"].map((name) => [name, verb.getOptionValue(name)]);
  return readSettings({
    flags: Object.fromEntries(named.filter(([, value]) => value !== undefined)),
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
  });
}
