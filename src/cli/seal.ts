import { type Command, Option } from "commander";
import { flagOf, type Settings, settingsTable } from "../config.ts";
import { type SealSecrets, sealFlags } from "../seals/flags.ts";
import type { SealKind } from "../seals/seal.ts";
import { CliError, type CliIo, settingsFileText } from "./io.ts";
import { readSettings } from "./settings.ts";

interface SealVerbTools {
  readonly io: CliIo;
  readonly finish: (code: number) => void;
}

interface NewSeal {
  readonly to?: SealKind;
  readonly newSealFile?: string;
  readonly newPassphraseFile?: string;
  readonly format: "text" | "json";
}

const kinds = sealFlags.seal.choices;
/** Environment names of the new seal's secrets, where they differ from the present one's. */
const newPassphraseName = "SEALPOST_SEAL_NEW_PASSPHRASE";
const newRootKeyName = "SEALPOST_NEW_ROOT_KEY";

/** `seal rotate` and `seal migrate`: on the data folder or the database of stopped servers. */
export function addSealVerbs(program: Command, tools: SealVerbTools): void {
  const verb = program.command("seal").description("change the root key or what seals it");
  const rotate = verb
    .command("rotate")
    .description("put the key ring of stopped servers under a new root key");
  addVerb(rotate, tools);
  const migrate = verb
    .command("migrate")
    .description("seal the root key of stopped servers in another way")
    .addOption(new Option("--to <SEAL>", "new seal").choices(kinds).makeOptionMandatory());
  addVerb(migrate, tools);
  addUsesVerb(verb, tools);
}

/** The folder is opened as at a start, so the seal is named as there. */
function addUsesVerb(seal: Command, { io, finish }: SealVerbTools): void {
  const verb = seal
    .command("check-uses")
    .description("check the key process's own log of uses of a stopped server")
    .addOption(new Option("--seal <SEAL>", sealFlags.seal.description).choices(kinds));
  addFlags(verb);
  verb.action(async ({ format }: { format: "text" | "json" }) => {
    const { checkUses } = await import("../assembly/check-uses.ts");
    const report = await explained(async () => checkUses(settingsOf(verb, io), await logOf(io)));
    const { lines, brokenLine } = report;
    const text =
      brokenLine === null
        ? `${lines} lines, each follows from the one before`
        : `line ${brokenLine} of ${lines} does not follow from those before it`;
    io.out(format === "json" ? `${JSON.stringify(report)}\n` : `${text}\n`);
    finish(brokenLine === null ? 0 : 1);
  });
}

function addVerb(verb: Command, { io, finish }: SealVerbTools): void {
  addFlags(verb);
  verb
    .option("--new-seal-file <PATH>", "root key file of the new seal, if it is another one")
    .option(
      "--new-passphrase-file <PATH>",
      `new passphrase, if it is another one (else ${newPassphraseName})`,
    )
    .action(async (options: NewSeal) => {
      await change(verb, options, io);
      finish(0);
    });
}

function addFlags(verb: Command): void {
  const { value, description } = settingsTable.data;
  verb.addOption(new Option(`--data <${value}>`, description));
  verb.addOption(storeOption());
  verb.addOption(new Option("--format <FORMAT>", "form").choices(["text", "json"]).default("text"));
  // The data folder knows what it is sealed by.
  addSealOptions(verb, "details");
}

/** The flags of the seal; `details`: without the one that says which it is. */
export function addSealOptions(verb: Command, which: "all" | "details" = "all"): void {
  for (const [name, spec] of Object.entries(sealFlags)) {
    if (name !== "seal") verb.addOption(sealOption(name, spec));
    else if (which === "all") {
      verb.addOption(new Option("--seal <SEAL>", spec.description).choices(kinds));
    }
  }
}

export function storeOption(): Option {
  const { value, description } = settingsTable.store;
  return new Option(`--store <${value}>`, description);
}

function sealOption(name: string, spec: (typeof sealFlags)[keyof typeof sealFlags]): Option {
  const option = new Option(`${flagOf(name)} <${spec.value}>`, spec.description);
  if (spec.kind !== "list") return option;
  return option.argParser((value, before: readonly string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);
}

async function change(verb: Command, options: NewSeal, io: CliIo): Promise<void> {
  const settings = settingsOf(verb, io);
  const { changeSeal } = await import("../assembly/change-seal.ts");
  const log = await logOf(io);
  const { newSealFile: sealFile, newPassphraseFile: sealPassphraseFile } = options;
  const newFlags = {
    ...(sealFile && { sealFile }),
    ...(sealPassphraseFile && { sealPassphraseFile }),
  };
  const request = { settings, to: options.to, newFlags, newSecrets: newSecrets(io), log };
  const done = await explained(() => changeSeal(request));
  const shared = settings.store !== "sqlite";
  io.out(options.format === "json" ? `${JSON.stringify(done)}\n` : textOf(done, shared));
}

export async function logOf(io: CliIo) {
  const { createLogger } = await import("../gateway/logger.ts");
  return createLogger({ level: "error", format: "pretty", write: io.err });
}

/** Whatever a seal or folder says is for the person at the command line. */
export async function explained<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Error) throw new CliError(error.message, { cause: error });
    throw error;
  }
}

/** The folder says what kind of clock it has; a stopped server needs neither. */
export function settingsOf(verb: Command, io: CliIo): Settings {
  const flags: Record<string, unknown> = {};
  for (const name of ["data", "store", "user", "keyUser", ...Object.keys(sealFlags)]) {
    const value: unknown = verb.getOptionValue(name);
    if (value !== undefined) flags[name] = value;
  }
  return readSettings({
    flags,
    environment: io.environment,
    fileText: settingsFileText(io),
    workingDirectory: io.workingDirectory,
  });
}

function newSecrets(io: CliIo): SealSecrets {
  const passphrase = io.environment[newPassphraseName];
  const rootKey = io.environment[newRootKeyName];
  return { ...(passphrase && { passphrase }), ...(rootKey && { rootKey }) };
}

interface Done {
  readonly from: SealKind;
  readonly to: SealKind;
  readonly oldFingerprint: string;
  readonly fingerprint: string;
}

function textOf({ from, to, oldFingerprint, fingerprint }: Done, shared: boolean): string {
  const place = shared ? "database" : "data folder";
  return [
    `root key ${oldFingerprint} → ${fingerprint}`,
    from === to ? `sealed by ${to} as before` : `sealed by ${to}, no longer by ${from}`,
    ...(shared
      ? ["Every server needs the new seal: give each its file or secret, then start it."]
      : []),
    `Back up the ${place} and the new seal now: older copies of both still open together.`,
    "",
  ].join("\n");
}
