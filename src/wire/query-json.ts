import { assert } from "../kernel/errors.ts";
import { writeBlob } from "./scalar.ts";
import type { MapSchema, Schema, SimpleSchema, StructureSchema } from "./schema.ts";
import { memoized } from "./schema.ts";

/** Makes the value that stands in the JSON text. */
type Write = (value: unknown) => unknown;
type Compile = (schema: Schema) => Write;

/** What one service's answers look like besides. */
export interface QueryJsonStyle {
  /** Members that have another name here. */
  readonly names: ReadonlyMap<string, string>;
  /** Lists without items are null, as members that are absent. */
  readonly omitsEmpty: boolean;
}

/**
 * Compiles the writer of a result in the JSON form of the query protocol, which a client gets that
 * asks for `Accept: application/json`: what is absent is null, flattened maps are lists of their
 * entries, times are epoch seconds. AWS: as recorded for SQS and STS (sqs.md 2.2). AWS?: maps that
 * are not flattened are objects.
 */
export function compileQueryJsonWriter(output: StructureSchema, style: QueryJsonStyle): Write {
  const compile: Compile = memoized((schema) => writerOf(schema, compile, style));
  return compile(output);
}

function writerOf(schema: Schema, compile: Compile, style: QueryJsonStyle): Write {
  switch (schema.kind) {
    case "structure":
      return structureWriter(schema, compile, style);
    case "list": {
      const write = compile(schema.item);
      return (value) => (value as readonly unknown[]).map(write);
    }
    case "map": {
      const write = compile(schema.value);
      return (value) =>
        Object.fromEntries(Object.entries(value as object).map(([key, it]) => [key, write(it)]));
    }
    case "simple":
      return simpleWriter(schema);
  }
}

function structureWriter(
  schema: StructureSchema,
  compile: Compile,
  { names, omitsEmpty }: QueryJsonStyle,
): Write {
  const members = schema.members.map((member) => ({
    name: member.name,
    written: names.get(member.name) ?? member.name,
    write:
      member.flattened && member.schema.kind === "map"
        ? entriesWriter(member.schema, compile)
        : compile(member.schema),
  }));
  return (value) => {
    const source = value as Readonly<Record<string, unknown>>;
    const output: Record<string, unknown> = {};
    for (const { name, written, write } of members) {
      const member = source[name];
      const given = member === undefined ? null : write(member);
      output[written] = omitsEmpty && Array.isArray(given) && given.length === 0 ? null : given;
    }
    return output;
  };
}

function entriesWriter({ keyName, valueName, value: schema }: MapSchema, compile: Compile): Write {
  const write = compile(schema);
  return (value) =>
    Object.entries(value as object).map(([key, entry]) => ({
      [keyName]: key,
      [valueName]: write(entry),
    }));
}

function simpleWriter({ type }: SimpleSchema): Write {
  switch (type) {
    case "blob":
      return writeBlob;
    case "timestamp":
      return (value) => {
        assert(typeof value === "number", "a time of an answer is epoch milliseconds");
        return value / 1000;
      };
    default:
      return (value) => value;
  }
}
