import { Refusal } from "../kernel/errors.ts";
import type { Rule, RuleStyle } from "./constraint.ts";
import { countRules, rulesOf } from "./constraint.ts";
import type { ListSchema, MapSchema, Schema, SimpleSchema, StructureSchema } from "./schema.ts";
import { memoized } from "./schema.ts";

/** How a service words what is wrong with an input. */
export interface FaultStyle extends RuleStyle {
  /** `ValidationException` (JSON services) or `ValidationError` (SNS, IAM, STS). */
  readonly code: string;
  /** IAM leaves the value out. */
  readonly showsValues: boolean;
}

/** More than these are counted by nobody; a hostile list must not make a huge answer. */
const faultsMax = 50;
/** DIFFERS: AWS repeats values of any length. */
const shownCharactersMax = 1024;

/** Adds a text per fault of `value`, which stands at `path`. */
type Check = (value: unknown, path: string, faults: string[]) => void;
type Compile = (schema: Schema) => Check | undefined;

/**
 * Compiles the constraint check of an operation's input: required members, lengths, ranges,
 * patterns, enums. The check throws one Refusal that counts and names every fault.
 */
export function compileCheck(input: StructureSchema, style: FaultStyle): (input: object) => void {
  const compile: Compile = memoized((schema) => checkOf(schema, compile, style));
  const check = compile(input);
  if (check === undefined) return () => {};
  return (value) => {
    const faults: string[] = [];
    check(value, "", faults);
    if (faults.length === 0) return;
    const noun = faults.length === 1 ? "error" : "errors";
    const text = `${faults.length} validation ${noun} detected: ${faults.join("; ")}`;
    throw new Refusal(style.code, text);
  };
}

function checkOf(schema: Schema, compile: Compile, style: FaultStyle): Check | undefined {
  switch (schema.kind) {
    case "structure":
      return structureCheck(schema, compile, style);
    case "list":
      return listCheck(schema, compile, style);
    case "map":
      return mapCheck(schema, compile, style);
    case "simple":
      return rulesCheck(rulesOf(schema, style), schema, style);
  }
}

function structureCheck(
  schema: StructureSchema,
  compile: Compile,
  style: FaultStyle,
): Check | undefined {
  const members = schema.members
    .map(({ name, required, schema: target }) => ({
      name,
      pathName: name.charAt(0).toLowerCase() + name.slice(1),
      required,
      check: compile(target),
    }))
    .filter(({ required, check }) => required || check !== undefined);
  if (members.length === 0) return undefined;
  return (value, path, faults) => {
    const source = value as Readonly<Record<string, unknown>>;
    const prefix = path === "" ? "" : `${path}.`;
    for (const { name, pathName, required, check } of members) {
      const member = source[name];
      if (member !== undefined) check?.(member, prefix + pathName, faults);
      else if (required) {
        const subject = style.showsValues ? "Value null" : "Value";
        addFault(faults, subject, prefix + pathName, "Member must not be null");
      }
    }
  };
}

function listCheck(schema: ListSchema, compile: Compile, style: FaultStyle): Check | undefined {
  const count = rulesCheck(countRules(schema.length), schema, style);
  const items =
    schema.item.kind === "simple"
      ? groupCheck("Member must", rulesOf(schema.item, style), schema, style, asList)
      : itemsCheck(compile(schema.item));
  return both(count, items);
}

function itemsCheck(check: Check | undefined): Check | undefined {
  if (check === undefined) return undefined;
  return (value, path, faults) => {
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      if (faults.length >= faultsMax) return;
      check(item, `${path}.${index + 1}.member`, faults);
    }
  };
}

function mapCheck(schema: MapSchema, compile: Compile, style: FaultStyle): Check | undefined {
  const count = rulesCheck(countRules(schema.length), schema, style);
  const keys = groupCheck("Map keys must", rulesOf(schema.key, style), schema, style, Object.keys);
  const values =
    schema.value.kind === "simple"
      ? groupCheck("Map value must", rulesOf(schema.value, style), schema, style, Object.values)
      : entriesCheck(compile(schema.value));
  return both(count, both(keys, values));
}

function entriesCheck(check: Check | undefined): Check | undefined {
  if (check === undefined) return undefined;
  return (value, path, faults) => {
    for (const [key, entry] of Object.entries(value as object)) {
      if (faults.length >= faultsMax) return;
      check(entry, `${path}.${clip(key)}.member`, faults);
    }
  };
}

/** Plain entries of a list or map share one fault that names all their rules. */
function groupCheck(
  subject: string,
  rules: readonly Rule[],
  schema: Schema,
  style: FaultStyle,
  entriesOf: (value: object) => readonly unknown[],
): Check | undefined {
  if (rules.length === 0) return undefined;
  const text = `${subject} satisfy constraint: [${rules.map((rule) => rule.text).join(", ")}]`;
  const holds = (entry: unknown) => rules.every((rule) => rule.holds(entry));
  return (value, path, faults) => {
    if (!entriesOf(value as object).every(holds)) {
      addFault(faults, shown(value, schema, style), path, text);
    }
  };
}

function asList(value: object): readonly unknown[] {
  return value as readonly unknown[];
}

function rulesCheck(rules: readonly Rule[], schema: Schema, style: FaultStyle): Check | undefined {
  if (rules.length === 0) return undefined;
  return (value, path, faults) => {
    for (const rule of rules) {
      if (!rule.holds(value)) addFault(faults, shown(value, schema, style), path, rule.text);
    }
  };
}

function both(first: Check | undefined, second: Check | undefined): Check | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (value, path, faults) => {
    first(value, path, faults);
    second(value, path, faults);
  };
}

function addFault(faults: string[], subject: string, path: string, rule: string): void {
  if (faults.length >= faultsMax) return;
  faults.push(`${subject} at '${path}' failed to satisfy constraint: ${rule}`);
}

/** `Value '…'`, or `Value` alone where the value is bytes, secret or structured, or IAM's. */
function shown(value: unknown, schema: Schema, style: FaultStyle): string {
  const text = style.showsValues ? textOf(value, schema) : undefined;
  return text === undefined ? "Value" : `Value '${clip(text)}'`;
}

function textOf(value: unknown, schema: Schema): string | undefined {
  switch (schema.kind) {
    case "simple":
      return isShowable(schema) ? String(value) : undefined;
    case "list":
      if (!isShowable(schema.item)) return undefined;
      return `[${(value as readonly unknown[]).slice(0, shownCharactersMax).join(", ")}]`;
    case "map":
      if (!isShowable(schema.key) || !isShowable(schema.value)) return undefined;
      return `{${Object.entries(value as object)
        .slice(0, shownCharactersMax)
        .map(([key, entry]) => `${key}=${entry}`)
        .join(", ")}}`;
    case "structure":
      return undefined;
  }
}

function isShowable(schema: Schema): schema is SimpleSchema {
  if (schema.kind !== "simple") return false;
  return schema.type !== "blob" && schema.constraints.sensitive !== true;
}

function clip(text: string): string {
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}
