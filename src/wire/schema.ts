import { assert } from "../kernel/errors.ts";
import type { Bounds, Model, ModelMap, ModelSimple, ModelStructure, SimpleType } from "./model.ts";
import { plainTypes } from "./model.ts";

/** A shape with its references followed: what codecs and checks are compiled from. */
export type Schema = StructureSchema | ListSchema | MapSchema | SimpleSchema;

export interface StructureSchema {
  readonly kind: "structure";
  readonly name: string;
  readonly members: readonly MemberSchema[];
}

export interface MemberSchema {
  readonly name: string;
  /** Name in the query protocol and in XML. */
  readonly wireName: string;
  readonly flattened: boolean;
  readonly required: boolean;
  readonly schema: Schema;
}

export interface ListSchema {
  readonly kind: "list";
  readonly itemName: string;
  readonly item: Schema;
  readonly length: Bounds | undefined;
}

export interface MapSchema {
  readonly kind: "map";
  readonly keyName: string;
  readonly key: SimpleSchema;
  readonly valueName: string;
  readonly value: Schema;
  readonly length: Bounds | undefined;
}

export interface SimpleSchema {
  readonly kind: "simple";
  readonly type: SimpleType;
  readonly constraints: ModelSimple;
}

export interface OperationSchema {
  readonly name: string;
  readonly input: StructureSchema;
  readonly output: StructureSchema | undefined;
}

const nothing: StructureSchema = { kind: "structure", name: "Nothing", members: [] };

/** Follows references of one model; each shape becomes one schema, made when first asked for. */
export function schemasOf(model: Model): (operation: string) => OperationSchema {
  const made = new Map<string, Schema | undefined>();
  const resolve = (name: string): Schema => {
    const known = made.get(name);
    if (known !== undefined) return known;
    // INVARIANT: no shape contains itself, so every walk over a schema ends.
    assert(!made.has(name), `${model.name} shape ${name} contains itself`);
    made.set(name, undefined);
    const schema = build(model, name, resolve);
    made.set(name, schema);
    return schema;
  };
  const structure = (name: string): StructureSchema => {
    const schema = resolve(name);
    assert(schema.kind === "structure", `${name} is a structure`);
    return schema;
  };
  return (name) => {
    const operation = model.operations[name];
    assert(operation !== undefined, `${model.name} has an operation ${name}`);
    return {
      name,
      input: operation.input === undefined ? nothing : structure(operation.input),
      output: operation.output === undefined ? undefined : structure(operation.output),
    };
  };
}

type Resolve = (name: string) => Schema;

function build(model: Model, name: string, resolve: Resolve): Schema {
  const shape = Object.hasOwn(model.shapes, name) ? model.shapes[name] : undefined;
  if (shape === undefined) {
    const type = plainTypes[name];
    assert(type !== undefined, `${model.name} has a shape ${name}`);
    return { kind: "simple", type, constraints: { type } };
  }
  switch (shape.type) {
    case "structure":
      return buildStructure(name, shape, resolve);
    case "list":
      return {
        kind: "list",
        itemName: shape.itemName ?? "member",
        item: resolve(shape.item),
        length: shape.length,
      };
    case "map":
      return buildMap(shape, resolve);
    default:
      return { kind: "simple", type: shape.type, constraints: shape };
  }
}

function buildStructure(name: string, shape: ModelStructure, resolve: Resolve): StructureSchema {
  const members = Object.entries(shape.members).map(([member, reference]) => {
    // Members are read from parsed JSON by name, so no name may be found on a prototype.
    assert(!(member in {}), `${name}.${member} is no name of Object.prototype`);
    return {
      name: member,
      wireName: reference.xmlName ?? member,
      flattened: reference.flattened ?? false,
      required: reference.required ?? false,
      schema: resolve(reference.shape),
    };
  });
  return { kind: "structure", name, members };
}

function buildMap(shape: ModelMap, resolve: Resolve): MapSchema {
  const key = resolve(shape.key);
  assert(key.kind === "simple", "map keys are simple");
  return {
    kind: "map",
    keyName: shape.keyName ?? "key",
    key,
    valueName: shape.valueName ?? "value",
    value: resolve(shape.value),
    length: shape.length,
  };
}

/** Calls `make` once per schema: compiled forms are shared by all that refer to a shape. */
export function memoized<T>(make: (schema: Schema) => T): (schema: Schema) => T {
  const made = new Map<Schema, T>();
  return (schema) => {
    const known = made.get(schema);
    if (known !== undefined) return known;
    const value = make(schema);
    made.set(schema, value);
    return value;
  };
}
