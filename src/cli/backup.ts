import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { BackupKeyUse } from "../assembly/backup/keys.ts";
import type { BackupRecipient } from "../assembly/backup/write.ts";
import { readServerFile } from "../gateway/server-file.ts";
import type { Json } from "../kernel/json.ts";
import type { SealKind } from "../seals/seal.ts";
import { streamFromServer } from "./admin-client.ts";
import { mebibytes, progressLine, writeWhole } from "./backup-file.ts";
import { addBackupKeyVerbs, addBackupSealOptions, backupSealSource } from "./backup-key.ts";
import { CliError, type CliIo } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";
import { addSealOptions, explained, logOf, settingsOf, storeOption } from "./seal.ts";
import type { VerbProgram } from "./verify-trail.ts";

interface BackupOptions {
  readonly backupKey?: readonly string[];
}

/** `backup`, and under it `key`, `public-key`, `verify` and `rewrap`. */
export function addBackupVerbs(program: Command, tools: VerbProgram): void {
  const { io, finish } = tools;
  const backup = program
    .command("backup")
    .description("write one encrypted file with the whole installation; the server goes on")
    .enablePositionalOptions()
    .argument("[file]", "the file to write")
    .addOption(keyOption("backup key that the backup is for (repeatable)"))
    .addOption(tools.dataOption())
    .addOption(storeOption());
  addSealOptions(backup);
  backup.action(async (file: string | undefined, options: BackupOptions) => {
    if (file === undefined) throw new CliError("name the file to write: sealpost backup FILE");
    await makeBackup(backup, resolve(io.workingDirectory, file), options, io);
    finish(0);
  });
  addBackupKeyVerbs(backup, tools);
  addVerifyVerb(backup, tools);
  addRewrapVerb(backup, tools);
}

function keyOption(description: string, flag = "--backup-key"): Option {
  return new Option(`${flag} <FILE>`, description).argParser(
    (value: string, before: readonly string[] = []) => [...before, value],
  );
}

async function makeBackup(verb: Command, file: string, options: BackupOptions, io: CliIo) {
  if (existsSync(file)) throw new CliError(`${file} is there already`);
  if (options.backupKey === undefined) {
    throw new CliError("say who may open it: --backup-key FILE (made by sealpost backup key FILE)");
  }
  const recipients = await readRecipients(options.backupKey, io);
  const settings = settingsOf(verb, io);
  const server = readServerFile(settings.data);
  const running = server !== undefined && io.isAlive(server.pid);
  const source = running
    ? await fromServer(settings.data, recipients, io)
    : await fromFolder(verb, recipients, io);
  const say = progressLine(io.err, io.now, io.terminal === true);
  const written = await explained(() =>
    writeWhole(file, source, (bytes) => say(`${mebibytes(bytes)} written`)),
  );
  say(`${mebibytes(written)} written`, true);
  io.out(`backup of ${settings.data}: ${file}, ${mebibytes(written)}\n`);
}

async function readRecipients(
  files: readonly string[],
  io: CliIo,
): Promise<readonly BackupRecipient[]> {
  const { readKeyFile } = await import("../assembly/backup/keys.ts");
  return explained(async () =>
    files.map((name) => {
      const { publicKey, storedSeal } = readKeyFile(resolve(io.workingDirectory, name));
      return { publicKey, ...(storedSeal && { storedSeal }) };
    }),
  );
}

/** The server encrypts; this process sees the encrypted bytes only. */
function fromServer(
  folder: string,
  recipients: readonly BackupRecipient[],
  io: CliIo,
): Promise<AsyncIterable<Buffer>> {
  const body = {
    recipients: recipients.map(({ publicKey, storedSeal }) => ({
      publicKey: Buffer.from(publicKey).toString("base64"),
      ...(storedSeal && { storedSeal: storedSeal as Json }),
    })),
  };
  const request = { method: "POST", path: "/_sealpost/backup", body } as const;
  return streamFromServer(findServer(folder, io), findCredentials(folder, io), request, io.now());
}

async function fromFolder(
  verb: Command,
  recipients: readonly BackupRecipient[],
  io: CliIo,
): Promise<AsyncIterable<Buffer>> {
  const { backupStopped } = await import("../assembly/backup/begin.ts");
  return backupStopped(settingsOf(verb, io), recipients, await logOf(io));
}

function addVerifyVerb(backup: Command, { io, finish }: VerbProgram): void {
  const verb = backup
    .command("verify")
    .description("read a whole backup and check all that a restore would check")
    .argument("<file>", "the backup")
    .option("--backup-key <FILE>", "file of the backup key, where the backup does not carry it")
    .addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  addBackupSealOptions(verb);
  verb.action(async (file: string, options: { backupKey?: string; format: "text" | "json" }) => {
    const { verifyBackup } = await import("../assembly/backup/verify.ts");
    const path = resolve(io.workingDirectory, file);
    const say = progressLine(io.err, io.now, io.terminal === true);
    const request = {
      file: path,
      key: await keyUse(verb, path, options.backupKey, io),
      log: await logOf(io),
      progress: (read: number, total: number) =>
        say(`verified ${mebibytes(read)} of ${mebibytes(total)}`, read === total),
    };
    const { manifest, rows, files } = await explained(() => verifyBackup(request));
    const { ring: _, ...facts } = manifest;
    const report = { ...facts, rows, files };
    const messages = rows.messages ?? rows.message_bodies ?? 0;
    const text =
      `whole: made ${manifest.createdAt}, epoch ${manifest.epoch}, ` +
      `${messages} messages, ${rows.records ?? 0} records\n`;
    io.out(options.format === "json" ? `${JSON.stringify(report)}\n` : text);
    finish(0);
  });
}

function addRewrapVerb(backup: Command, { io, finish }: VerbProgram): void {
  const verb = backup
    .command("rewrap")
    .description("write a backup again, for the backup keys of others")
    .argument("<file>", "the backup")
    .argument("<to>", "the file to write")
    .addOption(
      keyOption(
        "public backup key of another installation (repeatable)",
        "--for",
      ).makeOptionMandatory(),
    )
    .option(
      "--backup-key <FILE>",
      "file of the own backup key, where the backup does not carry it",
    );
  addBackupSealOptions(verb);
  verb.action(
    async (file: string, to: string, options: { for: readonly string[]; backupKey?: string }) => {
      const { rewrapBackup } = await import("../assembly/backup/rewrap.ts");
      const [from, target] = [file, to].map((name) => resolve(io.workingDirectory, name));
      if (from === undefined || target === undefined) return;
      if (existsSync(target)) throw new CliError(`${target} is there already`);
      const request = {
        file: from,
        key: await keyUse(verb, from, options.backupKey, io),
        recipients: await readRecipients(options.for, io),
        log: await logOf(io),
      };
      const written = await explained(() => writeWhole(target, rewrapBackup(request), () => {}));
      io.out(`backup for ${options.for.join(", ")}: ${target}, ${mebibytes(written)}\n`);
      finish(0);
    },
  );
}

/** How the backup key of a backup is to be opened: by its file, or by what the backup carries. */
export async function keyUse(
  verb: Command,
  backupFile: string,
  keyFile: string | undefined,
  io: CliIo,
): Promise<BackupKeyUse> {
  const { readKeyFile, sealKindOf } = await import("../assembly/backup/keys.ts");
  const path = keyFile === undefined ? undefined : resolve(io.workingDirectory, keyFile);
  return explained(async () => {
    const file = path === undefined ? undefined : readKeyFile(path);
    const kind: SealKind = sealKindOf(backupFile, file);
    const source = await backupSealSource(verb, io, path)(kind);
    return { file, sourceOf: () => source };
  });
}
