import type { NotificationAttributes } from "../message-attributes.ts";
import type { Leaf } from "./policy.ts";

/**
 * What filter policies look at: the values under each name, or under each path of a JSON body
 * (names joined by dots). A name that is there without any value counts as present.
 */
export type Facts = ReadonlyMap<string, readonly Leaf[]>;

export interface AttributeFacts {
  readonly facts: Facts;
  /** Names of attributes whose value is not what their type says. */
  readonly invalid: boolean;
}

/** AWS: String, String.Array and Number take part; Binary is passed over. */
export function attributeFacts(attributes: NotificationAttributes | undefined): AttributeFacts {
  const facts = new Map<string, readonly Leaf[]>();
  let invalid = false;
  for (const [name, { Type, Value }] of Object.entries(attributes ?? {})) {
    if (Type.startsWith("Binary")) continue;
    const values = Type === "String.Array" ? arrayLeaves(Value) : scalarLeaf(Type, Value);
    if (!values) invalid = true;
    facts.set(name, values ?? []);
  }
  return { facts, invalid };
}

function scalarLeaf(type: string, value: string): readonly Leaf[] | undefined {
  if (!type.startsWith("Number")) return [value];
  const number = value.trim() === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? [number] : undefined;
}

function arrayLeaves(text: string): readonly Leaf[] | undefined {
  const values = parse(text);
  return Array.isArray(values) && values.every(isLeaf) ? values : undefined;
}

function isLeaf(value: unknown): value is Leaf {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/**
 * Leaves of a body at or below wanted paths; undefined: it is no JSON object. `wanted` holds every
 * prefix of every path that a policy names, so that a large body is walked only where it matters.
 *
 * AWS: `{"a.b":1}` and `{"a":{"b":1}}` are the same; elements of lists stand for the list.
 * AWS?: conditions on objects in a list may be met by different elements of it.
 */
export function bodyFacts(body: string, wanted: ReadonlySet<string>): Facts | undefined {
  const root = parse(body);
  if (typeof root !== "object" || root === null || Array.isArray(root)) return undefined;
  const facts = new Map<string, Leaf[]>();
  // A stack of our own: bodies nest as deep as their publisher likes.
  const open: { readonly path: string; readonly value: unknown }[] = [];
  const enter = (value: object, prefix: string) => {
    for (const [name, member] of Object.entries(value)) {
      const path = prefix + name;
      if (wanted.has(path)) open.push({ path, value: member });
    }
  };
  enter(root, "");
  for (let next = open.pop(); next; next = open.pop()) {
    const { path, value } = next;
    if (Array.isArray(value)) {
      for (const item of value) open.push({ path, value: item });
    } else if (isLeaf(value)) {
      const leaves = facts.get(path);
      if (leaves) leaves.push(value);
      else facts.set(path, [value]);
    } else if (typeof value === "object" && value !== null) enter(value, `${path}.`);
  }
  return facts;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
