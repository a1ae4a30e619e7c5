import type { Json } from "../kernel/json.ts";

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

/** Copies the named members of a structure, and of them only what the model knows. */
export function copyMembers(
  model: AuditModel,
  shapeName: string,
  value: object,
  names: readonly string[],
): { readonly [member: string]: Json } {
  const members = model.shapes[shapeName]?.members ?? {};
  const copied: [string, Json][] = [];
  for (const name of names) {
    const shape = Object.hasOwn(members, name) ? members[name]?.shape : undefined;
    if (shape === undefined) throw new Error(`${shapeName} has no member ${name} to audit`);
    const member = copy(model, shape, ownValue(value, name));
    if (member !== undefined) copied.push([lowerFirst(name), member]);
  }
  return Object.fromEntries(copied);
}

/**
 * INVARIANT: blobs, sensitive values and members that the model does not name are never copied,
 * whatever an operation lists.
 */
function copy(model: AuditModel, shapeName: string, value: unknown): Json | undefined {
  if (value === undefined || value === null) return undefined;
  const shape = Object.hasOwn(model.shapes, shapeName) ? model.shapes[shapeName] : undefined;
  if (shape?.sensitive) return undefined;
  switch (shape?.type ?? shapeName.toLowerCase()) {
    case "structure":
      return typeof value === "object"
        ? copyMembers(model, shapeName, value, Object.keys(shape?.members ?? {}))
        : undefined;
    case "list":
      return Array.isArray(value)
        ? value.flatMap((item) => copy(model, shape?.item ?? "", item) ?? [])
        : undefined;
    case "map":
      return copyMap(model, shape?.value ?? "", value);
    case "timestamp":
      return typeof value === "number" ? customaryDate(value) : undefined;
    case "blob":
      return undefined;
    default:
      return isScalar(value) ? value : undefined;
  }
}

function copyMap(model: AuditModel, shapeName: string, value: unknown): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    const copied = copy(model, shapeName, item);
    if (copied !== undefined) entries.push([key, copied]);
  }
  return Object.fromEntries(entries);
}

/** JSON as an operation's own rule made it, without anything binary in it. */
export function plainJson(value: unknown): Json | undefined {
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

export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** AWS: dates inside parameters, `Aug 10, 2022, 10:38:27 PM` in UTC. */
export function customaryDate(ms: number): string {
  return dateFormat.format(ms).replace(/\u202f/g, " ");
}

const dateFormat = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  dateStyle: "medium",
  timeStyle: "medium",
});

function ownValue(value: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
