import { resolve } from "node:path";
import {
  configFileName,
  environmentNameOf,
  flagOf,
  type RootCredentials,
  type SettingName,
  type SettingSpec,
  type Settings,
  SettingsError,
  settingEntries,
  settingsTable,
} from "../config.ts";
import { type SealSecrets, sealPaths, sealSecretNames } from "../seals/flags.ts";
import { localstackCredentials, presetDefaults } from "./presets.ts";
import {
  checkTogether,
  lambdaKeyIdName,
  lambdaSecretName,
  rootKeyIdName,
  rootSecretName,
  trailKeyIdName,
  trailSecretName,
  warningsFor,
} from "./settings-checks.ts";

/** Where settings come from. Flags win over the environment, the environment over the file. */
export interface SettingsSources {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Text of `sealpost.config.json`, if there is one. */
  readonly fileText?: string;
  /** Stand in for the table's defaults: where nobody says anything else. */
  readonly defaults?: Partial<Record<SettingName, unknown>>;
  /** Makes a folder for a run that shall not keep anything. Without it there is none. */
  readonly freshFolder?: () => string;
  /** Others reach this machine's addresses only as its owner lets them. Default false. */
  readonly inContainer?: boolean;
  /** Relative paths are taken from here. */
  readonly workingDirectory: string;
}

/**
 * Merges the sources; a preset stands in for the table's defaults. Throws SettingsError for what is
 * unknown or malformed.
 */
export function readSettings(given: SettingsSources): Settings {
  const environment = given.environment ?? {};
  const unknown = Object.keys(given.flags ?? {}).find((name) => !isSetting(name));
  if (unknown !== undefined) throw new SettingsError(`\`${unknown}\` is not a setting`);
  const file = parseFile(given.fileText);
  const preset = presetDefaults((name) => saidOf(given, file, name), given.freshFolder);
  const sources = { ...given, defaults: { ...preset, ...given.defaults } };
  const values: Record<string, unknown> = {};
  for (const [name, spec] of settingEntries) values[name] = pick(sources, file, name, spec);
  const explicitSealFile = values.sealFile !== undefined;
  const path = (text: unknown) => resolve(sources.workingDirectory, String(text));
  values.data = path(values.data);
  values.sealFile = path(values.sealFile ?? resolve(String(values.data), "root.key"));
  for (const name of ["tlsCert", "tlsKey", "init", ...sealPaths]) {
    if (values[name]) values[name] = path(values[name]);
  }
  if (values.auditAnchor && !/^https?:\/\//.test(String(values.auditAnchor))) {
    values.auditAnchor = path(values.auditAnchor);
  }
  const rootCredentials = readRootCredentials(environment, values.preset !== undefined);
  const trailCredentials = readCredentials(environment, trailKeyIdName, trailSecretName);
  const lambdaCredentials = readCredentials(environment, lambdaKeyIdName, lambdaSecretName);
  // The table's mapped type says what each value is; the loop above made exactly those.
  const settings = {
    ...values,
    rootCredentials,
    sealSecrets: readSealSecrets(environment),
    trailCredentials,
    lambdaCredentials,
    warnings: [],
  } as unknown as Settings;
  checkTogether(settings, explicitSealFile || preset.data !== undefined, sources.inContainer);
  return Object.freeze({
    ...settings,
    warnings: Object.freeze(warningsFor(settings, environment)),
  });
}

/** Only the data folder, as an absolute path: for verbs that talk to a running server. */
export function readDataFolder(sources: SettingsSources): string {
  const file = parseFile(sources.fileText);
  const data = pick(sources, file, "data", settingsTable.data);
  return resolve(sources.workingDirectory, String(data));
}

function pick(
  sources: SettingsSources,
  file: Readonly<Record<string, unknown>>,
  name: SettingName,
  spec: SettingSpec,
): unknown {
  return saidOf(sources, file, name) ?? absent(spec);
}

/** undefined: nobody says anything about it. */
function saidOf(
  sources: SettingsSources,
  file: Readonly<Record<string, unknown>>,
  name: SettingName,
): unknown {
  const environmentName = environmentNameOf(name);
  const given =
    found(flagOf(name), sources.flags?.[name]) ??
    found(environmentName, sources.environment?.[environmentName]) ??
    found(`\`${name}\` in ${configFileName}`, file[name]) ??
    found(flagOf(name), sources.defaults?.[name]);
  return given && readValue(settingsTable[name], given);
}

interface Given {
  readonly source: string;
  readonly raw: unknown;
}

function found(source: string, raw: unknown): Given | undefined {
  return raw === undefined || raw === "" ? undefined : { source, raw };
}

function absent(spec: SettingSpec): unknown {
  if (spec.default !== undefined) return spec.default;
  if (spec.kind === "boolean") return false;
  return spec.kind === "list" ? Object.freeze([]) : undefined;
}

function readValue(spec: SettingSpec, { source, raw }: Given): unknown {
  const value = readKind(spec, source, raw);
  for (const item of Array.isArray(value) ? value : [value]) {
    if (spec.choices && !spec.choices.includes(String(item))) {
      throw new SettingsError(`${source} must be one of ${spec.choices.join(", ")}`);
    }
    try {
      spec.check?.(String(item));
    } catch (error) {
      throw new SettingsError(`${source}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return value;
}

function readKind(
  spec: SettingSpec,
  source: string,
  raw: unknown,
): string | number | boolean | string[] {
  const text = String(raw);
  switch (spec.kind) {
    case "boolean":
      if (/^(true|1)$/.test(text)) return true;
      if (/^(false|0)$/.test(text)) return false;
      throw new SettingsError(`${source} must be true or false`);
    case "integer":
      return readInteger(spec, source, text);
    case "list": {
      const items = Array.isArray(raw) ? raw : text.split(spec.separator ?? ",");
      if (items.some((item) => typeof item !== "string")) {
        throw new SettingsError(`${source} must be a list of texts`);
      }
      return items.map((item) => item.trim()).filter((item) => item !== "");
    }
    default:
      if (typeof raw !== "string") throw new SettingsError(`${source} must be a text`);
      return raw;
  }
}

function readInteger(spec: SettingSpec, source: string, text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (value >= min && value <= max) return value;
  // Kubernetes sets <SERVICE>_PORT for a service named sealpost.
  const hint = text.startsWith("tcp://") ? "; set enableServiceLinks: false on the pod" : "";
  throw new SettingsError(`${source} must be a whole number from ${min} to ${max}${hint}`);
}

function parseFile(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(`${configFileName} is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new SettingsError(`${configFileName} must hold one JSON object`);
  }
  const unknown = Object.keys(parsed).find((name) => !isSetting(name));
  if (unknown !== undefined) {
    throw new SettingsError(`\`${unknown}\` in ${configFileName} is not a setting`);
  }
  return { ...parsed };
}

function isSetting(name: string): boolean {
  return Object.hasOwn(settingsTable, name);
}

function readRootCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  preset: boolean,
): RootCredentials | undefined {
  const given = readCredentials(environment, rootKeyIdName, rootSecretName);
  if (preset && given) {
    throw new SettingsError(`--preset brings its own root credentials; leave ${rootKeyIdName} out`);
  }
  return preset ? localstackCredentials : given;
}

function readCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  keyIdName: string,
  secretName: string,
): RootCredentials | undefined {
  const accessKeyId = environment[keyIdName];
  const secretAccessKey = environment[secretName];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey) {
    throw new SettingsError(`${keyIdName} and ${secretName} go together`);
  }
  // AWS: an access key id has 16 to 128 word characters.
  if (!/^\w{16,128}$/.test(accessKeyId)) {
    throw new SettingsError(`${keyIdName} must have 16 to 128 letters, digits or underscores`);
  }
  if (!/^[\x21-\x7e]{16,128}$/.test(secretAccessKey)) {
    throw new SettingsError(`${secretName} must have 16 to 128 printable characters`);
  }
  return Object.freeze({ accessKeyId, secretAccessKey });
}

/** What is set to nothing is not there. */
export function readSealSecrets(
  environment: Readonly<Record<string, string | undefined>>,
): SealSecrets {
  const found = Object.entries(sealSecretNames).flatMap(([member, name]) => {
    const value = environment[name];
    return value ? [[member, value] as const] : [];
  });
  return Object.freeze(Object.fromEntries(found));
}
