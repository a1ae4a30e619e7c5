import { type Command, Option } from "commander";
import {
  environmentNameOf,
  flagOf,
  type SettingName,
  type SettingSpec,
  settingEntries,
} from "../config.ts";

/** Adds a flag for every setting, with help text from the table. */
export function addSettingOptions(command: Command): void {
  for (const [name, spec] of settingEntries) {
    command.addOption(settingOption(name, spec));
    // Without it a flag could not win over an environment that says true.
    if (spec.kind === "boolean" && !flagOf(name).startsWith("--no-")) {
      command.addOption(new Option(`--no-${flagOf(name).slice(2)}`).hideHelp());
    }
  }
}

/** The values that were given as flags, by setting. */
export function settingFlags(command: Command): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  for (const [name, spec] of settingEntries) {
    const attribute = settingOption(name, spec).attributeName();
    if (command.getOptionValueSource(attribute) !== "cli") continue;
    const value: unknown = command.getOptionValue(attribute);
    // `--no-public` is a setting of its own; commander reads it as `public: false`.
    flags[name] = attribute === name ? value : true;
  }
  return flags;
}

/** One row of the reference page and of help. */
export interface SettingRow {
  readonly flag: string;
  readonly environment: string;
  readonly key: string;
  readonly kind: SettingSpec["kind"];
  readonly default: string;
  /** Allowed values or range; "" where the description says it. */
  readonly values: string;
  readonly description: string;
}

export function settingRows(): readonly SettingRow[] {
  return settingEntries.map(([name, spec]) => ({
    flag: spec.value ? `${flagOf(name)} ${spec.value}` : flagOf(name),
    environment: environmentNameOf(name),
    key: name,
    kind: spec.kind,
    default: String(spec.default ?? (spec.kind === "boolean" ? false : "")),
    values: spec.choices?.join(", ") ?? (spec.kind === "integer" ? `${spec.min}–${spec.max}` : ""),
    description: spec.description,
  }));
}

function settingOption(name: SettingName, spec: SettingSpec): Option {
  const notes = [
    spec.default === undefined ? "" : `default ${spec.default}`,
    spec.choices ? spec.choices.join(" | ") : "",
  ].filter((note) => note !== "");
  const suffix = notes.length > 0 ? ` (${notes.join("; ")})` : "";
  const flags = spec.kind === "boolean" ? flagOf(name) : `${flagOf(name)} <${spec.value}>`;
  const option = new Option(flags, `${spec.description}${suffix}`);
  // A list is given one flag at a time; a default value would count as the first entry.
  if (spec.kind === "list") {
    option.argParser((value, before: readonly string[] | undefined) => [...(before ?? []), value]);
  }
  return option;
}
