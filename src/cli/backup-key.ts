import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type SealFlags, sealSource } from "../assembly/seal-source.ts";
import { flagOf } from "../config.ts";
import { publicKeyFingerprint } from "../crypto/wrap.ts";
import type { SealSource } from "../keys/seal-source.ts";
import { type SealSecrets, sealFlags, sealPaths, sealSecretNames } from "../seals/flags.ts";
import type { SealKind } from "../seals/seal.ts";
import type { CliIo } from "./io.ts";
import { explained, logOf } from "./seal.ts";
import { readSealSecrets } from "./settings.ts";

/*
 * A backup key has a seal like the root key's, with the same flags and names behind `backup`:
 * `--backup-seal-file`, SEALPOST_BACKUP_SEAL_PASSPHRASE.
 */
const sealNames = Object.keys(sealFlags).filter((name) => name !== "seal");

export function backupFlagOf(name: string): string {
  return flagOf(`backup${name.charAt(0).toUpperCase()}${name.slice(1)}`);
}

/** Environment names of what opens a backup key: SEALPOST_BACKUP_SEAL_PASSPHRASE. */
export const backupSecretNames: readonly string[] = Object.values(sealSecretNames).map(backupName);

function backupName(name: string): string {
  return name.replace("SEALPOST_", "SEALPOST_BACKUP_");
}

/** Adds the flags of what seals a backup key. */
export function addBackupSealOptions(verb: Command): void {
  for (const [name, spec] of Object.entries(sealFlags)) {
    if (name === "seal") continue;
    const text = `backup key: ${spec.description}`
      .replaceAll("SEALPOST_", "SEALPOST_BACKUP_")
      .replace("DIR/root.key", "the key's file with .secret");
    const option = new Option(`${backupFlagOf(name)} <${spec.value}>`, text);
    if (spec.kind === "list") {
      option.argParser((value, before: readonly string[] = []) => [...before, value]);
    }
    verb.addOption(option);
  }
}

/** The seal of a backup key, as flags and environment describe it. */
export function backupSealSource(
  verb: Command,
  io: CliIo,
  keyFile: string | undefined,
): (kind: SealKind) => Promise<SealSource> {
  const given = (name: string): unknown =>
    verb.getOptionValue(`backup${name.charAt(0).toUpperCase()}${name.slice(1)}`);
  const path = (text: unknown) => (text ? resolve(io.workingDirectory, String(text)) : undefined);
  const flags = Object.fromEntries(sealNames.map((name) => [name, given(name)]));
  for (const name of sealPaths) flags[name] = path(flags[name]);
  const beside = keyFile === undefined ? undefined : `${keyFile}.secret`;
  const all = {
    ...flags,
    sealFile: path(flags.sealFile) ?? path(beside) ?? resolve(io.workingDirectory, "backup.secret"),
    sealPkcs11Key: flags.sealPkcs11Key ?? "sealpost-backup",
    sealPkcs11Env: flags.sealPkcs11Env ?? [],
    region: "us-east-1",
  } as unknown as SealFlags;
  return async (kind) => sealSource(kind, all, await secretsOf(io, kind, all));
}

async function secretsOf(io: CliIo, kind: SealKind, flags: SealFlags): Promise<SealSecrets> {
  const environment = Object.fromEntries(
    Object.values(sealSecretNames).map((name) => [name, io.environment[backupName(name)]]),
  );
  const found = readSealSecrets(environment);
  const asks = kind === "passphrase" && !found.passphrase && !flags.sealPassphraseFile;
  const typed = asks ? await io.askSecret?.("Passphrase of the backup key: ") : undefined;
  return typed ? { ...found, passphrase: typed } : found;
}

/** `backup key` and `backup public-key`. */
export function addBackupKeyVerbs(
  backup: Command,
  { io, finish }: { readonly io: CliIo; readonly finish: (code: number) => void },
): void {
  const make = backup
    .command("key")
    .description("make a backup key: whoever has its public half can seal, not open")
    .argument("<file>", "where its file goes")
    .addOption(
      new Option("--seal <SEAL>", "what seals the private half")
        .choices(sealFlags.seal.choices)
        .default("passphrase"),
    );
  addBackupSealOptions(make);
  make.action(async (file: string, { seal }: { seal: SealKind }) => {
    const path = resolve(io.workingDirectory, file);
    const source = await backupSealSource(make, io, path)(seal);
    const log = await logOf(io);
    const { createBackupKey } = await import("../assembly/backup/keys.ts");
    const fingerprint = await explained(() => createBackupKey(path, source, log));
    io.out(`backup key ${fingerprint}, sealed by ${seal}\n`);
    finish(0);
  });
  backup
    .command("public-key")
    .description("write the public half of a backup key, for others to back up or rewrap to")
    .argument("<file>", "file of the backup key")
    .argument("<to>", "where the public half goes")
    .action(async (file: string, to: string) => {
      const { readKeyFile, writeKeyFile } = await import("../assembly/backup/keys.ts");
      const { publicKey } = await explained(async () => {
        const key = readKeyFile(resolve(io.workingDirectory, file));
        const half = { publicKey: key.publicKey, storedSeal: undefined };
        writeKeyFile(resolve(io.workingDirectory, to), half);
        return half;
      });
      io.out(`public half of backup key ${publicKeyFingerprint(publicKey)}\n`);
      finish(0);
    });
}
