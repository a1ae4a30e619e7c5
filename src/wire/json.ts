import { isUtf8 } from "node:buffer";
import { assert } from "../kernel/errors.ts";
import { nestsDeeper } from "./json-nesting.ts";
import { scalarOfJson, serialization, tokenOf, writeBlob } from "./scalar.ts";
import type { ListSchema, MapSchema, Schema, SimpleSchema, StructureSchema } from "./schema.ts";
import { memoized } from "./schema.ts";

/** No operation nests deeper than ten levels; a document that does is an attack. */
const depthMax = 64;

/**
 * Parses a request body. Throws Refusal `SerializationException`. AWS?: texts; an empty body is
 * taken as `{}`.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw serialization("The request body is not valid UTF-8.");
  if (nestsDeeper(body, depthMax)) throw serialization("The request body is nested too deep.");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw serialization("The request body is not valid JSON.");
  }
}

type Read = (value: unknown) => unknown;

/** Compiles the reader of an operation's input from parsed JSON. */
export function compileJsonReader(
  input: StructureSchema,
): (value: unknown) => Record<string, unknown> {
  const compile: (schema: Schema) => Read = memoized((schema) => readerOf(schema, compile));
  return structureReader(input, compile);
}

function readerOf(schema: Schema, compile: (schema: Schema) => Read): Read {
  switch (schema.kind) {
    case "structure":
      return structureReader(schema, compile);
    case "list":
      return listReader(schema, compile(schema.item));
    case "map":
      return mapReader(compile(schema.key), compile(schema.value));
    case "simple":
      return scalarOfJson(schema.type);
  }
}

function structureReader(
  schema: StructureSchema,
  compile: (schema: Schema) => Read,
): (value: unknown) => Record<string, unknown> {
  const members = schema.members.map(({ name, schema: target }) => ({
    name,
    read: compile(target),
  }));
  return (value) => {
    const source = objectOf(value);
    const output: Record<string, unknown> = {};
    for (const { name, read } of members) {
      const member = source[name];
      // AWS: null is the same as absent.
      if (member !== undefined && member !== null) output[name] = read(member);
    }
    return output;
  };
}

function listReader(schema: ListSchema, read: Read): Read {
  const nullText = nullItemText(schema);
  return (value) => {
    if (!Array.isArray(value)) throw notAList(value);
    return value.map((item) => {
      if (item === null) throw serialization(nullText);
      return read(item);
    });
  };
}

function nullItemText(schema: ListSchema): string {
  const kind = schema.item.kind === "simple" ? schema.item.type : schema.item.kind;
  return `A ${kind} in a list may not be null.`;
}

/** Maps have no prototype: their keys are the user's, `__proto__` included. */
function mapReader(readKey: Read, readValue: Read): Read {
  return (value) => {
    const source = objectOf(value);
    const output: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(source)) {
      if (source[key] === null) throw serialization("A value in a map may not be null.");
      output[String(readKey(key))] = readValue(source[key]);
    }
    return output;
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (Array.isArray(value)) throw serialization("Start of list found where not expected");
  if (typeof value !== "object" || value === null) {
    // AWS?: text for a scalar where a structure is due.
    throw serialization(`${tokenOf(value)} can not be converted to a structure or map`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function notAList(value: unknown): Error {
  if (typeof value === "object") {
    return serialization("Start of structure or map found where not expected.");
  }
  const type = typeof value;
  const name = type === "number" ? "Integer" : type === "boolean" ? "Boolean" : "String";
  return serialization(`Unrecognized collection type class java.lang.${name}`);
}

/** Makes JSON text of a value. */
type Write = (value: unknown) => string;

/**
 * Compiles the writer of an operation's output. `omitEmpty` leaves out empty lists and maps, as SQS
 * does.
 */
export function compileJsonWriter(output: StructureSchema, omitEmpty: boolean): Write {
  const compile: (schema: Schema) => Write = memoized((schema) =>
    writerOf(schema, compile, omitEmpty),
  );
  return compile(output);
}

function writerOf(schema: Schema, compile: (schema: Schema) => Write, omitEmpty: boolean): Write {
  switch (schema.kind) {
    case "structure":
      return structureWriter(schema, compile, omitEmpty);
    case "list":
      return listWriter(compile(schema.item), schema);
    case "map":
      return mapWriter(schema, compile(schema.value));
    case "simple":
      return simpleWriter(schema);
  }
}

function structureWriter(
  schema: StructureSchema,
  compile: (schema: Schema) => Write,
  omitEmpty: boolean,
): Write {
  const members = schema.members.map(({ name, schema: target }) => ({
    name,
    start: `${JSON.stringify(name)}:`,
    write: compile(target),
    omitEmpty: omitEmpty && (target.kind === "list" || target.kind === "map"),
  }));
  return (value) => {
    const source = value as Readonly<Record<string, unknown>>;
    let text = "";
    for (const { name, start, write, omitEmpty: omit } of members) {
      const member = source[name];
      if (member === undefined || (omit && isEmpty(member))) continue;
      text += (text === "" ? "{" : ",") + start + write(member);
    }
    return text === "" ? "{}" : `${text}}`;
  };
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return Object.keys(value as object).length === 0;
}

function listWriter(write: Write, schema: ListSchema): Write {
  if (schema.item.kind === "simple" && writesAsIs(schema.item)) return writeAsIs;
  return (value) => `[${(value as readonly unknown[]).map(write).join(",")}]`;
}

function mapWriter(schema: MapSchema, write: Write): Write {
  if (schema.value.kind === "simple" && writesAsIs(schema.value)) return writeAsIs;
  return (value) => {
    const entries = Object.entries(value as object);
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${write(entry)}`).join(",")}}`;
  };
}

function writesAsIs(schema: SimpleSchema): boolean {
  return schema.type !== "blob" && schema.type !== "timestamp";
}

function writeAsIs(value: unknown): string {
  return JSON.stringify(value);
}

function simpleWriter(schema: SimpleSchema): Write {
  switch (schema.type) {
    case "blob":
      return (value) => `"${writeBlob(value)}"`;
    case "timestamp":
      return (value) => {
        assert(typeof value === "number", "a time of an answer is epoch milliseconds");
        return JSON.stringify(value / 1000);
      };
    default:
      return writeAsIs;
  }
}
