import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Bounds, Model, ModelSimple, SimpleType } from "../../src/wire/model.ts";
import { plainTypes } from "../../src/wire/model.ts";

/** Where constraints come from: the public descriptions, or else the model already checked in. */
export interface Descriptions {
  /** Shape that a member refers to. */
  member(structure: string, member: string): string | undefined;
  /** Shape of a list's items or a map's values. */
  item(shape: string): string | undefined;
  key(map: string): string | undefined;
  /** Type and constraints of a simple shape. */
  simple(shape: string): ModelSimple | undefined;
  /** Bounds on the number of entries of a list or map. */
  count(shape: string): Bounds | undefined;
}

interface DescribedShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
}

const simpleTypes: Readonly<Record<string, SimpleType>> = {
  string: "string",
  integer: "integer",
  long: "long",
  float: "double",
  double: "double",
  boolean: "boolean",
  timestamp: "timestamp",
  blob: "blob",
};

/** Reads `<folder>/<service>/<version>/service-2.json[.gz]`. */
export function readDescriptions(folder: string, service: string, version: string): Descriptions {
  const shapes = readShapes(join(folder, service, version));
  const shapeOf = (name: string): DescribedShape | undefined =>
    Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  return {
    member: (structure, member) => shapeOf(structure)?.members?.[member]?.shape,
    item: (name) => (shapeOf(name)?.member ?? shapeOf(name)?.value)?.shape,
    key: (name) => shapeOf(name)?.key?.shape,
    simple: (name) => simpleOf(shapeOf(name)),
    count: (name) => boundsOf(shapeOf(name)),
  };
}

function readShapes(folder: string): Readonly<Record<string, DescribedShape>> {
  const file = readdirSync(folder).find((name) => name.startsWith("service-2.json"));
  if (file === undefined) throw new Error(`no service description in ${folder}`);
  const bytes = readFileSync(join(folder, file));
  const text = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  return JSON.parse(text.toString("utf8")).shapes;
}

function simpleOf(shape: DescribedShape | undefined): ModelSimple | undefined {
  const type = shape && simpleTypes[shape.type];
  if (shape === undefined || type === undefined) return undefined;
  const bounds = boundsOf(shape);
  const numeric = type === "integer" || type === "long" || type === "double";
  return {
    type,
    ...(bounds && (numeric ? { range: bounds } : { length: bounds })),
    ...(shape.pattern !== undefined && { pattern: shape.pattern }),
    ...(shape.enum && { enum: shape.enum }),
    ...(shape.sensitive && { sensitive: true as const }),
  };
}

function boundsOf(shape: DescribedShape | undefined): Bounds | undefined {
  if (shape?.min === undefined && shape?.max === undefined) return undefined;
  return [shape.min ?? null, shape.max ?? null];
}

/** The model that is checked in, as a source of constraints. */
export function previousDescriptions(file: string): Descriptions {
  const model: Model | undefined = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : undefined;
  const shapeOf = (name: string) =>
    model && Object.hasOwn(model.shapes, name) ? model.shapes[name] : undefined;
  return {
    member: (structure, member) => {
      const shape = shapeOf(structure);
      return shape?.type === "structure" ? shape.members[member]?.shape : undefined;
    },
    item: (name) => {
      const shape = shapeOf(name);
      if (shape?.type === "list") return shape.item;
      return shape?.type === "map" ? shape.value : undefined;
    },
    key: (name) => {
      const shape = shapeOf(name);
      return shape?.type === "map" ? shape.key : undefined;
    },
    simple: (name) => {
      const plain = plainTypes[name];
      if (plain !== undefined) return { type: plain };
      const shape = shapeOf(name);
      if (shape === undefined || shape.type === "structure") return undefined;
      return shape.type === "list" || shape.type === "map" ? undefined : shape;
    },
    count: (name) => {
      const shape = shapeOf(name);
      return shape?.type === "list" || shape?.type === "map" ? shape.length : undefined;
    },
  };
}
