import { type Json, quoted } from "../kernel/json.ts";

/**
 * What the audit needs of a service's model: which objects are structures (their members get a
 * small first letter) and which are maps (their keys are the user's own), and what is a blob or
 * sensitive. `models/*.json` have this form.
 */
export interface AuditModel {
  readonly operations: Readonly<
    Record<string, { readonly input?: string; readonly output?: string }>
  >;
  readonly shapes: Readonly<Record<string, AuditShape>>;
}

export interface AuditShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly item?: string;
  readonly value?: string;
  readonly sensitive?: true;
}

/** Writes a value as JSON text; "" for what is left out. */
type Write = (value: unknown) => string;

interface Compiled {
  readonly model: AuditModel;
  readonly shapeName: string;
  readonly write: Write;
}

/** Rules are constants, shared by few operations: for each it is compiled once. */
const compiledRules = new WeakMap<readonly string[], Compiled[]>();

/** The named members of a structure as JSON, and of them only what the model knows. */
export function membersText(
  model: AuditModel,
  shapeName: string,
  value: object,
  names: readonly string[],
): string {
  const known = compiledRules.get(names) ?? [];
  let rule = known.find((other) => other.shapeName === shapeName && other.model === model);
  if (rule === undefined) {
    rule = { model, shapeName, write: structureWriter(model, shapeName, names) };
    compiledRules.set(names, [...known, rule]);
  }
  return rule.write(value);
}

function structureWriter(model: AuditModel, shapeName: string, names: readonly string[]): Write {
  const shapes = model.shapes[shapeName]?.members ?? {};
  const members = names.map((name) => {
    const shape = Object.hasOwn(shapes, name) ? shapes[name]?.shape : undefined;
    if (shape === undefined) throw new Error(`${shapeName} has no member ${name} to audit`);
    return { name, key: `${JSON.stringify(lowerFirst(name))}:`, write: lazyWriter(model, shape) };
  });
  return (value) => {
    if (typeof value !== "object" || value === null) return "";
    let text = "";
    for (const { name, key, write } of members) {
      if (!(name in value)) continue;
      const member = write(Reflect.get(value, name));
      if (member !== "") text += text === "" ? key + member : `,${key}${member}`;
    }
    return `{${text}}`;
  };
}

/** Shapes may name themselves: each is compiled when a value of it comes. */
function lazyWriter(model: AuditModel, shapeName: string): Write {
  let write: Write | undefined;
  return (value) => {
    if (value === undefined || value === null) return "";
    write ??= shapeWriter(model, shapeName);
    return write(value);
  };
}

const nothing: Write = () => "";

/**
 * INVARIANT: blobs, sensitive values and members that the model does not name are never copied,
 * whatever an operation lists.
 */
function shapeWriter(model: AuditModel, shapeName: string): Write {
  const shape = Object.hasOwn(model.shapes, shapeName) ? model.shapes[shapeName] : undefined;
  if (shape?.sensitive) return nothing;
  switch (shape?.type ?? shapeName.toLowerCase()) {
    case "structure":
      return structureWriter(model, shapeName, Object.keys(shape?.members ?? {}));
    case "list":
      return listWriter(lazyWriter(model, shape?.item ?? ""));
    case "map":
      return mapWriter(lazyWriter(model, shape?.value ?? ""));
    case "timestamp":
      return (value) => (typeof value === "number" ? `"${customaryDate(value)}"` : "");
    case "blob":
      return nothing;
    default:
      return (value) => (isScalar(value) ? scalarText(value) : "");
  }
}

function listWriter(write: Write): Write {
  return (value) => {
    if (!Array.isArray(value)) return "";
    return `[${value.map(write).filter(isThere).join(",")}]`;
  };
}

function mapWriter(write: Write): Write {
  return (value) => {
    if (typeof value !== "object" || value === null) return "";
    const entries = Object.entries(value).map(([key, item]) => {
      const text = write(item);
      return text === "" ? "" : `${JSON.stringify(key)}:${text}`;
    });
    return `{${entries.filter(isThere).join(",")}}`;
  };
}

function isThere(text: string): boolean {
  return text !== "";
}

/** JSON text of what an operation's own rule made, without anything binary in it. */
export function plainText(value: Json): string {
  return JSON.stringify(isPlain(value) ? value : plainJson(value)) ?? "null";
}

/** Nearly always: then nothing is copied. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object") return value === undefined || isScalar(value);
  if (value === null) return true;
  if (Array.isArray(value)) return value.every((item) => item !== undefined && isPlain(item));
  if (ArrayBuffer.isView(value)) return false;
  for (const name in value) if (!isPlain(Reflect.get(value, name))) return false;
  return true;
}

function plainJson(value: unknown): Json | undefined {
  if (isScalar(value) || value === null) return value;
  if (Array.isArray(value)) return value.flatMap((item) => plainJson(item) ?? []);
  if (typeof value !== "object" || ArrayBuffer.isView(value)) return undefined;
  const entries: [string, Json][] = [];
  for (const [name, member] of Object.entries(value)) {
    const plain = plainJson(member);
    if (plain !== undefined) entries.push([name, plain]);
  }
  return Object.fromEntries(entries);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** AWS: dates inside parameters, `Aug 10, 2022, 10:38:27 PM` in UTC. */
function customaryDate(ms: number): string {
  return dateFormat.format(ms).replace(/\u202f/g, " ");
}

const dateFormat = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  dateStyle: "medium",
  timeStyle: "medium",
});

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function scalarText(value: string | number | boolean): string {
  return typeof value === "string" ? quoted(value) : JSON.stringify(value);
}
