import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { RestoreReport } from "../assembly/backup/restore.ts";
import type { Settings } from "../config.ts";
import { keyUse } from "./backup.ts";
import { mebibytes, progressLine } from "./backup-file.ts";
import { addBackupSealOptions } from "./backup-key.ts";
import { addSealOptions, explained, logOf, settingsOf, storeOption } from "./seal.ts";
import type { VerbProgram } from "./verify-trail.ts";

interface RestoreOptions {
  readonly backupKey?: string;
  readonly replace?: true;
  readonly resurrect?: true;
  readonly format: "text" | "json";
}

/** `restore`: into an empty folder, or over the same installation of a stopped server. */
export function addRestoreVerb(program: Command, tools: VerbProgram): void {
  const { io, finish } = tools;
  const verb = program
    .command("restore")
    .description("make a data folder, or a database, what a backup says; the servers are stopped")
    .argument("<file>", "the backup")
    .option("--backup-key <FILE>", "file of the backup key, where the backup does not carry it")
    .option("--replace", "the folder holds this installation: put the backup in its place")
    .option(
      "--resurrect",
      "bring back destroyed keys, deleted access keys and revoked grants as well",
    )
    .addOption(tools.dataOption())
    .addOption(storeOption())
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  addSealOptions(verb);
  addBackupSealOptions(verb);
  verb.action(async (name: string, options: RestoreOptions) => {
    const { restoreBackup } = await import("../assembly/backup/restore.ts");
    const file = resolve(io.workingDirectory, name);
    const say = progressLine(io.err, io.now, io.terminal === true);
    const settings = settingsOf(verb, io);
    const request = {
      file,
      settings,
      key: await keyUse(verb, file, options.backupKey, io),
      replace: options.replace === true,
      resurrect: options.resurrect === true,
      log: await logOf(io),
      progress: (step: "verify" | "restore" | "database") => (read: number, total: number) => {
        const far = (count: number) => (step === "database" ? `${count} rows` : mebibytes(count));
        say(`${stepNames[step]} ${far(read)} of ${far(total)}`, read === total);
      },
    };
    const report = await explained(() => restoreBackup(request));
    io.out(
      options.format === "json"
        ? `${JSON.stringify({ ...report, leftOut: report.leftOut ?? null })}\n`
        : textOf(report, settings, request.resurrect),
    );
    finish(0);
  });
}

const stepNames = { verify: "verified", restore: "restored", database: "put in place" } as const;

function textOf(
  report: RestoreReport,
  { data: folder, store }: Pick<Settings, "data" | "store">,
  resurrect: boolean,
): string {
  const place = store !== "sqlite" ? `the database with ${folder}` : folder;
  const { leftOut, createdAt, epoch, installation, fingerprint } = report;
  const lines = [
    `${place} is the installation of ${createdAt} again, in epoch ${epoch}; ` +
      `operator account ${installation.accountId}, ${installation.clock} clock, ` +
      `root key ${fingerprint}`,
  ];
  if (resurrect) {
    lines.push("What was destroyed since the backup is back: --resurrect.");
  } else if (leftOut === undefined) {
    lines.push(
      "Nothing here knew what was destroyed since the backup: keys that were destroyed, access",
      "keys that were deleted and grants that were revoked since then ARE BACK. Look at them now.",
    );
  } else {
    const { keys, materials, accessKeys, grants } = leftOut;
    lines.push(
      `stay destroyed: ${keys.length} keys, ${materials.length} imported materials, ` +
        `${accessKeys.length} access keys, ${grants.length} grants`,
      ...keys.map(
        ({ accountId, region, id }) => `  key arn:aws:kms:${region}:${accountId}:key/${id}`,
      ),
      ...accessKeys.map(({ id }) => `  access key ${id}`),
    );
  }
  if (report.newRootCredentials) {
    lines.push(`Root's access keys of then were deleted since; new ones: ${folder}/credentials`);
  }
  return `${lines.join("\n")}\n`;
}
