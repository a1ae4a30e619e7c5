/**
 * Reads the static schemas inside `@aws-sdk/client-*`: arrays `[kind, namespace, name, traits, …]`
 * with numbers for plain types. This file alone knows that form.
 */
export type Schema =
  | { readonly kind: "structure"; readonly name: string; readonly members: readonly Member[] }
  | { readonly kind: "list"; readonly name: string | undefined; readonly item: Traited }
  | {
      readonly kind: "map";
      readonly name: string | undefined;
      readonly key: Traited;
      readonly value: Traited;
    }
  | {
      readonly kind: "simple";
      readonly name: string | undefined;
      readonly type: "string" | "number" | "boolean" | "timestamp" | "blob";
      readonly sensitive: boolean;
    };

export interface Traited {
  readonly schema: Schema;
  readonly xmlName: string | undefined;
  readonly flattened: boolean;
}

export interface Member extends Traited {
  readonly name: string;
  readonly required: boolean;
}

export interface OperationSchema {
  readonly name: string;
  readonly input: Schema | undefined;
  readonly output: Schema | undefined;
}

export interface ErrorSchema {
  readonly name: string;
  readonly fault: "client" | "server";
  readonly queryCode: string | undefined;
  readonly status: number | undefined;
  readonly members: readonly string[];
}

const operationKind = 9;
const errorKind = -3;
const unionKind = 4;
const structureKind = 3;
const mapKind = 2;
const listKind = 1;
const listModifier = 64;
const mapModifier = 128;
const sensitiveBit = 8;

const simpleTypes: ReadonlyMap<number, "string" | "number" | "boolean" | "timestamp" | "blob"> =
  new Map([
    [0, "string"],
    [1, "number"],
    [2, "boolean"],
    [4, "timestamp"],
    [21, "blob"],
  ]);

export function readOperations(
  exports: Readonly<Record<string, unknown>>,
): readonly OperationSchema[] {
  return staticSchemas(exports, operationKind).map((schema) => ({
    name: String(schema[2]),
    input: readBody(schema[4]),
    output: readBody(schema[5]),
  }));
}

export function readErrors(exports: Readonly<Record<string, unknown>>): readonly ErrorSchema[] {
  return staticSchemas(exports, errorKind)
    .filter((schema) => typeof schema[3] === "object")
    .map((schema) => {
      const traits = schema[3] as {
        awsQueryError?: [string, number];
        error: "client" | "server";
        httpError?: number;
      };
      return {
        name: String(schema[2]),
        fault: traits.error,
        queryCode: traits.awsQueryError?.[0],
        status: traits.awsQueryError?.[1] ?? traits.httpError,
        members: schema[4] as string[],
      };
    });
}

function staticSchemas(exports: Readonly<Record<string, unknown>>, kind: number): unknown[][] {
  return Object.keys(exports)
    .filter((name) => name.endsWith("$"))
    .map((name) => exports[name])
    .filter((value): value is unknown[] => Array.isArray(value) && value[0] === kind)
    .sort((a, b) => (String(a[2]) < String(b[2]) ? -1 : 1));
}

function readBody(reference: unknown): Schema | undefined {
  const target = dereference(reference);
  return target === "unit" ? undefined : readSchema(target);
}

function dereference(reference: unknown): unknown {
  return typeof reference === "function" ? dereference(reference()) : reference;
}

function readSchema(reference: unknown): Schema {
  const schema = dereference(reference);
  if (typeof schema === "number") return readNumber(schema);
  if (!Array.isArray(schema)) throw new Error(`unknown schema ${String(schema)}`);
  const name = String(schema[2]);
  switch (schema[0]) {
    case structureKind:
    case unionKind:
      return readStructure(name, schema);
    case listKind:
      return { kind: "list", name, item: readTraited(schema[4]) };
    case mapKind:
      return { kind: "map", name, key: readTraited(schema[4]), value: readTraited(schema[5]) };
    case 0: {
      const plain = readNumber(schema[4]);
      if (plain.kind !== "simple") throw new Error(`unknown simple schema ${name}`);
      return { ...plain, name, sensitive: (schema[3] & sensitiveBit) !== 0 };
    }
    default:
      throw new Error(`unknown schema kind ${schema[0]} of ${name}`);
  }
}

function readStructure(name: string, schema: readonly unknown[]): Schema {
  const names = schema[4] as string[];
  const references = schema[5] as unknown[];
  // Required members come first; the schema holds their number.
  const requiredCount = (schema[6] as number | undefined) ?? 0;
  const members = names.map((member, index) => ({
    name: member,
    required: index < requiredCount,
    ...readTraited(references[index]),
  }));
  return { kind: "structure", name, members };
}

function readTraited(reference: unknown): Traited {
  const schema = dereference(reference);
  if (Array.isArray(schema) && schema.length === 2) {
    const inner = readTraited(schema[0]);
    const traits = schema[1] as number | { xmlName?: string; xmlFlattened?: number };
    if (typeof traits === "number") return inner;
    return {
      schema: inner.schema,
      xmlName: traits.xmlName ?? inner.xmlName,
      flattened: traits.xmlFlattened === 1 || inner.flattened,
    };
  }
  return { schema: readSchema(schema), xmlName: undefined, flattened: false };
}

function readNumber(code: number): Schema {
  const plain = (inner: number): Traited => ({
    schema: readNumber(inner),
    xmlName: undefined,
    flattened: false,
  });
  if (code >= mapModifier) {
    return { kind: "map", name: undefined, key: plain(0), value: plain(code - mapModifier) };
  }
  if (code >= listModifier) {
    return { kind: "list", name: undefined, item: plain(code - listModifier) };
  }
  const type = simpleTypes.get(code);
  if (type === undefined) throw new Error(`unknown plain type ${code}`);
  return { kind: "simple", name: undefined, type, sensitive: false };
}
