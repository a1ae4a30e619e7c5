import type { FormNode } from "./form.ts";
import { malformed } from "./form.ts";
import { scalarOfText } from "./scalar.ts";
import type { ListSchema, MapSchema, Schema, SimpleSchema, StructureSchema } from "./schema.ts";

/** Turns a node of the form into a value; undefined where it holds none. */
type Read = (node: FormNode) => unknown;

/** Compiles the query-protocol reader of an operation's input. */
export function compileQueryReader(
  input: StructureSchema,
): (form: FormNode) => Record<string, unknown> {
  const compile = readerCompiler();
  return structureReader(input, compile);
}

type Compile = (schema: Schema, flattened: boolean) => Read;

function readerCompiler(): Compile {
  const made = new Map<Schema, Map<boolean, Read>>();
  const compile: Compile = (schema, flattened) => {
    const forms = made.get(schema) ?? new Map<boolean, Read>();
    made.set(schema, forms);
    const known = forms.get(flattened);
    if (known !== undefined) return known;
    const read = readerOf(schema, flattened, compile);
    forms.set(flattened, read);
    return read;
  };
  return compile;
}

function readerOf(schema: Schema, flattened: boolean, compile: Compile): Read {
  switch (schema.kind) {
    case "structure":
      return structureReader(schema, compile);
    case "list":
      return flattened ? flatListReader(schema, compile) : listReader(schema, compile);
    case "map":
      return mapReader(schema, flattened, compile);
    case "simple":
      return simpleReader(schema);
  }
}

function simpleReader(schema: SimpleSchema): Read {
  const read = scalarOfText(schema.type);
  return (node) => (node.text === undefined ? undefined : read(node.text));
}

function structureReader(
  schema: StructureSchema,
  compile: Compile,
): (node: FormNode) => Record<string, unknown> {
  const members = schema.members.map(({ name, wireName, flattened, schema: target }) => ({
    name,
    wireName,
    read: compile(target, flattened),
  }));
  return (node) => {
    const output: Record<string, unknown> = {};
    const children = node.children;
    if (children === undefined) return output;
    for (const { name, wireName, read } of members) {
      const child = children.get(wireName);
      if (child === undefined) continue;
      const value = read(child);
      if (value !== undefined) output[name] = value;
    }
    return output;
  };
}

function listReader(schema: ListSchema, compile: Compile): Read {
  const read = compile(schema.item, false);
  return (node) => {
    const items = node.children?.get(schema.itemName);
    if (items !== undefined) return readItems(items, read);
    // SDKs send an empty list as a bare `Tags=`.
    if (node.text === "") return [];
    throw malformed("A list is not given as numbered members.");
  };
}

function flatListReader(schema: ListSchema, compile: Compile): Read {
  const read = compile(schema.item, false);
  return (node) => {
    if (node.children !== undefined) return readItems(node, read);
    // AWS: `AttributeName=All` without a number is one item.
    return node.text === "" ? [] : [read(node)];
  };
}

function readItems(node: FormNode, read: Read): unknown[] {
  return numbered(node).map((item) => {
    const value = read(item);
    if (value === undefined) throw malformed("A member of a list has no value.");
    return value;
  });
}

/** Maps have no prototype: their keys are the user's, `__proto__` included. */
function mapReader(schema: MapSchema, flattened: boolean, compile: Compile): Read {
  const readKey = simpleReader(schema.key);
  const readValue = compile(schema.value, false);
  const emptyValue = schema.value.kind === "structure";
  return (node) => {
    const output: Record<string, unknown> = Object.create(null);
    for (const entry of entriesOf(schema, node, flattened)) {
      const keyNode = entry.children?.get(schema.keyName);
      const key = keyNode && readKey(keyNode);
      if (typeof key !== "string") throw malformed("An entry of a map has no key.");
      const valueNode = entry.children?.get(schema.valueName);
      const value = valueNode ? readValue(valueNode) : emptyValue ? {} : undefined;
      if (value === undefined) throw malformed("An entry of a map has no value.");
      output[key] = value;
    }
    return output;
  };
}

function entriesOf(schema: MapSchema, node: FormNode, flattened: boolean): readonly FormNode[] {
  if (!flattened) {
    const entries = node.children?.get("entry");
    if (entries !== undefined) return numbered(entries);
  } else if (node.children !== undefined) {
    // AWS: `Attribute.Name=…&Attribute.Value=…` without a number is one entry.
    return node.children.has(schema.keyName) ? [node] : numbered(node);
  }
  if (node.text === "") return [];
  throw malformed("A map is not given as numbered entries.");
}

/** Children `1`, `2`, … by number, whatever the order they came in; gaps are closed. */
function numbered(node: FormNode): readonly FormNode[] {
  const children = node.children;
  if (children === undefined) return [];
  let expected = 1;
  let inOrder = true;
  for (const name of children.keys()) {
    if (!/^[1-9]\d{0,8}$/.test(name)) throw malformed("A list member has no number from 1 up.");
    if (name !== String(expected)) inOrder = false;
    expected += 1;
  }
  if (inOrder) return [...children.values()];
  return [...children].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child);
}
