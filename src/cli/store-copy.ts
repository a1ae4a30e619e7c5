import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { CopyReport } from "../assembly/store-copy.ts";
import { progressLine } from "./backup-file.ts";
import { CliError, type CliIo } from "./io.ts";
import { explained } from "./seal.ts";
import type { VerbProgram } from "./verify-trail.ts";

interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly format: "text" | "json";
}

/** `store copy`: a whole installation to a store of another kind; the servers are stopped. */
export function addCopyVerb(store: Command, { io, finish }: Pick<VerbProgram, "io" | "finish">) {
  const place = (flag: string, what: string) =>
    new Option(`${flag} <STORE>`, `${what}: sqlite:DIR or postgres://…`).makeOptionMandatory();
  store
    .command("copy")
    .description("copy a whole installation of stopped servers into an empty store")
    .addOption(place("--from", "where it is"))
    .addOption(place("--to", "where it goes"))
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"))
    .action(async (options: CopyOptions) => {
      const from = placeOf("--from", options.from, io);
      const to = placeOf("--to", options.to, io);
      const { copyStore } = await import("../assembly/store-copy.ts");
      const say = progressLine(io.err, io.now, io.terminal === true);
      const report = await explained(() =>
        copyStore({
          from,
          to,
          progress: (step, rows, total) =>
            say(`${stepNames[step]} ${rows} of ${total} rows`, step === "verify" && rows === total),
        }),
      );
      io.out(options.format === "json" ? `${JSON.stringify(report)}\n` : textOf(report, to));
      finish(0);
    });
}

const stepNames = { copy: "copied", verify: "compared" } as const;

/** The folder as an absolute path. An address may hold a password: no message repeats it. */
function placeOf(flag: string, text: string, io: CliIo): string {
  const [kind = "", folder = ""] = /^(sqlite):(.+)$/.exec(text)?.slice(1) ?? [];
  if (kind !== "") return `${kind}:${resolve(io.workingDirectory, folder)}`;
  if (/^postgres(ql)?:\/\//.test(text)) return text;
  throw new CliError(`${flag} must be sqlite:DIR or postgres://…`);
}

function textOf({ tables, resumedRows }: CopyReport, to: string): string {
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  const lines = [
    `copied and compared: ${rows} rows, ${tables.messages?.rows ?? 0} of them messages, ` +
      `${tables.records?.rows ?? 0} records`,
  ];
  if (resumedRows > 0) lines.push(`${resumedRows} rows were there from an earlier attempt`);
  lines.push(
    to.startsWith("sqlite:")
      ? "Start one server, with the same seal, on this folder and without --store."
      : "Start the servers with --store and that address, the same seal and the same data folder.",
    "The store that was copied is as it was: no server may start on it again.",
  );
  return `${lines.join("\n")}\n`;
}
