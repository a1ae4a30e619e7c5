import fc from "fast-check";
import { compilePattern } from "../../../src/wire/constraint.ts";
import type { Bounds, ModelSimple } from "../../../src/wire/model.ts";
import type { Schema, SimpleSchema, StructureSchema } from "../../../src/wire/schema.ts";

/** Which values a protocol can carry at all. */
export interface Carrier {
  /** The query protocol has no form for an empty map or an empty structure inside another value. */
  readonly emptyParts: boolean;
  /** XML holds no control characters, and the SDK drops blank text with a line feed. */
  readonly xmlText: boolean;
}

const entriesMax = 3;
const epochMsMax = Date.UTC(2100, 0, 1);

/**
 * Random valid values of a shape in wire form: Buffers, epoch milliseconds, maps without
 * prototype.
 */
export function valuesOf(schema: Schema, carrier: Carrier): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case "structure":
      return structuresOf(schema, carrier, carrier.emptyParts ? 0 : 1);
    case "list": {
      const { minLength, maxLength } = entryBounds(schema.length, 0);
      return fc.array(valuesOf(schema.item, carrier), { minLength, maxLength });
    }
    case "map": {
      const { minLength, maxLength } = entryBounds(schema.length, carrier.emptyParts ? 0 : 1);
      const structured = schema.value.kind === "structure";
      return fc
        .uniqueArray(fc.tuple(valuesOf(schema.key, carrier), valuesOf(schema.value, carrier)), {
          minLength,
          maxLength,
          selector: ([key]) => key,
        })
        .map((entries) => {
          // The SDK loses the structure under this key when it reads an answer; the tests of
          // hostile input cover it instead.
          return mapOf(entries.filter(([key]) => !structured || key !== "__proto__"));
        })
        .filter((map) => Object.keys(map).length >= minLength);
    }
    case "simple":
      return simplesOf(schema, carrier);
  }
}

/** Values of an operation's input or output; here nothing at all may be given. */
export function bodiesOf(schema: StructureSchema, carrier: Carrier): fc.Arbitrary<object> {
  return structuresOf(schema, carrier, 0) as fc.Arbitrary<object>;
}

function structuresOf(
  schema: StructureSchema,
  carrier: Carrier,
  membersMin: number,
): fc.Arbitrary<unknown> {
  const members = schema.members.map(
    (member) => [member.name, valuesOf(member.schema, carrier)] as const,
  );
  const requiredKeys: string[] = schema.members.filter((m) => m.required).map((m) => m.name);
  const structures = fc.record(Object.fromEntries(members), {
    requiredKeys,
    noNullPrototype: true,
  });
  if (membersMin === 0 || requiredKeys.length > 0 || schema.members.length === 0) return structures;
  return structures.filter((value) => Object.keys(value).length >= membersMin);
}

function mapOf(entries: readonly (readonly [unknown, unknown])[]): object {
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) map[String(key)] = value;
  return map;
}

function entryBounds(length: Bounds | undefined, least: number) {
  const minLength = Math.max(length?.[0] ?? 0, least);
  return { minLength, maxLength: Math.max(minLength, Math.min(length?.[1] ?? 99, entriesMax)) };
}

function simplesOf(schema: SimpleSchema, carrier: Carrier): fc.Arbitrary<unknown> {
  const { constraints } = schema;
  const [min, max] = constraints.range ?? [null, null];
  switch (schema.type) {
    case "string":
      return carrier.xmlText
        ? textsOf(constraints, carrier).filter(survivesXml)
        : textsOf(constraints, carrier);
    case "integer":
      return fc.integer({ min: min ?? -(2 ** 31), max: max ?? 2 ** 31 - 1 });
    case "long":
      return fc.integer({ min: min ?? -(2 ** 52), max: max ?? 2 ** 52 });
    case "double":
      // Plain decimals: the query protocol prints numbers, and not every form of them comes back.
      return fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((value) => value / 64);
    case "boolean":
      return fc.boolean();
    case "timestamp":
      return fc.integer({ min: 0, max: epochMsMax });
    case "blob": {
      const [bytesMin, bytesMax] = constraints.length ?? [0, null];
      const minLength = bytesMin ?? 0;
      const maxLength = Math.min(bytesMax ?? 64, Math.max(64, minLength));
      return fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
    }
  }
}

function textsOf(constraints: ModelSimple, carrier: Carrier): fc.Arbitrary<string> {
  if (constraints.enum) return fc.constantFrom(...constraints.enum);
  const [min, max] = constraints.length ?? [0, null];
  const minLength = min ?? 0;
  const maxLength = Math.max(minLength, Math.min(max ?? 24, 24));
  if (constraints.pattern !== undefined) {
    return patternedTexts(constraints.pattern, minLength, maxLength, max ?? 10 ** 6);
  }
  const units = fc.string({ unit: carrier.xmlText ? xmlUnits : "binary", minLength, maxLength });
  const fitting = awkward.filter((text) => text.length >= minLength && text.length <= maxLength);
  const texts =
    fitting.length === 0
      ? units
      : fc.oneof({ arbitrary: units, weight: 6 }, fc.constantFrom(...fitting));
  return texts;
}

/** The SDK takes blank text with a line feed for layout. */
function survivesXml(text: string): boolean {
  return text.trim() !== "" || !text.includes("\n");
}

const awkward = ["__proto__", "constructor", "a&b<c>\"d'", " +%25\t.=", "0", "]]>"];

const xmlUnits = fc
  .oneof(
    { arbitrary: fc.integer({ min: 0x20, max: 0x7e }), weight: 4 },
    fc.constantFrom(0x9, 0xa, 0xd, 0x85, 0xa0, 0x2028, 0xd7ff, 0xe000, 0xfffd, 0x10000, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

/** Texts for patterns that are more than one class of characters. */
const examples: ReadonlyMap<string, readonly string[]> = new Map([
  ["s3://[a-z0-9][\\.\\-a-z0-9]{1,61}[a-z0-9](/.*)?", ["s3://abc", "s3://a-b.c/d/é"]],
  ["^o-[a-z0-9]{10,32}$", ["o-0123456789"]],
  ["^o-[0-9a-z]{10,32}\\/r-[0-9a-z]{4,32}[0-9a-z-\\/]*", ["o-0123456789/r-abcd/ou-1"]],
  ["^p-[0-9a-zA-Z_]{8,128}$", ["p-01234567"]],
  ["^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", ["abc", "a-b-c"]],
  ["\\d{12}", ["123456789012"]],
  ["[0-9]{12}", ["123456789012"]],
  ["^[A-Za-z]{2}$", ["DE"]],
  ["\\u002F[\\u0021-\\u007F]*", ["/", "/a/b"]],
  ["(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", ["/", "/a/b/"]],
  ["((/[A-Za-z0-9\\.,\\+@=_-]+)*)/", ["/", "/a/b/"]],
  ["v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?", ["v1", "v23.a"]],
  [
    "^http(s?)://[a-zA-Z0-9._/-]*(\\?[a-zA-Z0-9._=&-]*)?(#[a-zA-Z0-9._/-]*)?$",
    ["https://a.b/c?d=e#f"],
  ],
  ["cluster-[2-7a-zA-Z]{11,16}", ["cluster-abcdefghijk"]],
  ["^([a-z]+-){2,3}\\d+$", ["us-east-1", "us-gov-west-1"]],
  ["^https://[a-zA-Z0-9.-]+$", ["https://a.example"]],
  ["^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$", ["/kms/xks/v1"]],
  [
    "^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$",
    ["com.amazonaws.vpce.us-east-1.vpce-svc-0a"],
  ],
  ["^(\\+[0-9]{8,}|[0-9]{0,9})$", ["+12345678", "123"]],
  ["^[a-z0-9_-]+\\.amazonaws\\.com$", ["kms.amazonaws.com"]],
  ["^[0-9]{2}:[0-9]{2}", ["12:30"]],
  ["^[a-zA-Z][a-zA-Z0-9._\\-]*$", ["a", "Ab._-9"]],
]);

const candidates = [..."aA0Zz9/+=,.@:_- !~#%&<>\"'\\\t\né\u00ff\u00a0"];

function patternedTexts(
  pattern: string,
  minLength: number,
  maxLength: number,
  lengthMax: number,
): fc.Arbitrary<string> {
  const expression = compilePattern(pattern);
  const allowed = candidates.filter((unit) => expression.test(unit.repeat(Math.max(minLength, 1))));
  const fits = (text: string) => expression.test(text) && text.length <= lengthMax;
  const given = examples.get(pattern)?.filter((text) => text.length >= minLength && fits(text));
  if (given !== undefined && given.length > 0) return fc.constantFrom(...given);
  if (allowed.length === 0) throw new Error(`no example for the pattern ${pattern}`);
  return fc.string({ unit: fc.constantFrom(...allowed), minLength, maxLength }).filter(fits);
}
