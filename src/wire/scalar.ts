import { assert, Refusal } from "../kernel/errors.ts";
import { malformed } from "./form.ts";
import type { SimpleType } from "./model.ts";

const int32Max = 2 ** 31 - 1;
const epochMsMax = 8.64e15;
const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** How error texts name a type. */
const typeTexts: Readonly<Record<SimpleType, string>> = {
  string: "a String",
  integer: "an Integer",
  long: "a Long",
  double: "a Double",
  boolean: "a Boolean",
  timestamp: "milliseconds since epoch",
  blob: "a Blob",
};

export type ScalarOfJson = (value: unknown) => unknown;
export type ScalarOfText = (text: string) => unknown;

/** Reads a scalar from parsed JSON. Throws Refusal `SerializationException`. */
export function scalarOfJson(type: SimpleType): ScalarOfJson {
  const read = jsonReaders[type];
  return (value) => {
    const result = read(value);
    if (result === undefined) throw notConvertible(value, type);
    return result;
  };
}

const jsonReaders: Readonly<Record<SimpleType, (value: unknown) => unknown>> = {
  string: (value) => (typeof value === "string" ? value : undefined),
  integer: (value) => integer(value, int32Max),
  long: (value) => integer(value, Number.MAX_SAFE_INTEGER),
  double: (value) => (typeof value === "number" ? value : undefined),
  boolean: (value) => (typeof value === "boolean" ? value : undefined),
  timestamp: (value) =>
    typeof value === "number" && Math.abs(value * 1000) <= epochMsMax
      ? Math.round(value * 1000)
      : undefined,
  blob: (value) => (typeof value === "string" ? bytesOf(value) : undefined),
};

/** Reads a scalar from a form parameter. Throws Refusal `MalformedInput`. AWS?: code and text. */
export function scalarOfText(type: SimpleType): ScalarOfText {
  const read = textReaders[type];
  return (text) => {
    const result = read(text);
    if (result === undefined) {
      throw malformed(`STRING_VALUE can not be converted to ${typeTexts[type]}`);
    }
    return result;
  };
}

const textReaders: Readonly<Record<SimpleType, (text: string) => unknown>> = {
  string: (text) => text,
  integer: (text) => (/^[+-]?\d{1,10}$/.test(text) ? integer(Number(text), int32Max) : undefined),
  long: (text) =>
    /^[+-]?\d{1,19}$/.test(text) ? integer(Number(text), Number.MAX_SAFE_INTEGER) : undefined,
  double: (text) =>
    /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/.test(text)
      ? finite(Number(text))
      : undefined,
  boolean: (text) => booleans.get(text.toLowerCase()),
  timestamp: (text) => (isoTime.test(text) ? finite(Date.parse(text)) : undefined),
  blob: bytesOf,
};

const booleans: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

function integer(value: unknown, max: number): number | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  // A 32-bit integer reaches one further below zero than above it.
  return value <= max && value >= -max - 1 ? value : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Strict base64 with padding. Buffer.from skips what it cannot read and takes the URL alphabet too,
 * so a result shorter than the text promises had something else in it.
 */
function bytesOf(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || text.includes("-") || text.includes("_")) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}

/** The refusal for a JSON value of the wrong type. AWS: texts of sqs.md 2.1. */
export function notConvertible(value: unknown, type: SimpleType): Refusal {
  if (Array.isArray(value)) return serialization("Start of list found where not expected");
  if (typeof value === "object") {
    return serialization("Start of structure or map found where not expected.");
  }
  return serialization(`${tokenOf(value)} can not be converted to ${typeTexts[type]}`);
}

export function tokenOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "TRUE_VALUE" : "FALSE_VALUE";
  return typeof value === "number" ? "NUMBER_VALUE" : "STRING_VALUE";
}

export function serialization(message: string): Refusal {
  return new Refusal("SerializationException", message);
}

/** A blob of an answer as text. */
export function writeBlob(value: unknown): string {
  assert(value instanceof Uint8Array, "a blob of an answer is bytes");
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}
