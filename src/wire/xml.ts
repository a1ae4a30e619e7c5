import { assert } from "../kernel/errors.ts";
import { writeBlob } from "./scalar.ts";
import type { MemberSchema, Schema, SimpleSchema, StructureSchema } from "./schema.ts";
import { memoized } from "./schema.ts";

/** Writes what stands inside an element. */
type Write = (value: unknown) => string;
type Compile = (schema: Schema) => Write;

/** Compiles the writer of the members of an operation's result. */
export function compileXmlWriter(output: StructureSchema): (value: unknown) => string {
  const compile: Compile = memoized((schema) => writerOf(schema, compile));
  return compile(output);
}

function writerOf(schema: Schema, compile: Compile): Write {
  switch (schema.kind) {
    case "structure":
      return structureWriter(schema, compile);
    case "list": {
      const write = itemsWriter(schema.itemName, compile(schema.item));
      return (value) => write(value);
    }
    case "map":
      return entriesWriter("entry", schema, compile);
    case "simple":
      return simpleWriter(schema);
  }
}

function structureWriter(schema: StructureSchema, compile: Compile): Write {
  const members = schema.members.map((member) => ({
    name: member.name,
    write: memberWriter(member, compile),
  }));
  return (value) => {
    const source = value as Readonly<Record<string, unknown>>;
    let text = "";
    for (const { name, write } of members) {
      const member = source[name];
      if (member !== undefined) text += write(member);
    }
    return text;
  };
}

/** A flattened list or map repeats its element; everything else stands in one. */
function memberWriter(member: MemberSchema, compile: Compile): Write {
  const { wireName, flattened, schema } = member;
  if (flattened && schema.kind === "list") return itemsWriter(wireName, compile(schema.item));
  if (flattened && schema.kind === "map") return entriesWriter(wireName, schema, compile);
  const write = compile(schema);
  return (value) => element(wireName, write(value));
}

function itemsWriter(name: string, write: Write): Write {
  return (value) => {
    let text = "";
    for (const item of value as readonly unknown[]) text += element(name, write(item));
    return text;
  };
}

function entriesWriter(name: string, schema: Schema & { kind: "map" }, compile: Compile): Write {
  const { keyName, valueName } = schema;
  const writeValue = compile(schema.value);
  return (value) => {
    let text = "";
    for (const [key, entry] of Object.entries(value as object)) {
      const inner = element(keyName, escapeXml(key)) + element(valueName, writeValue(entry));
      text += element(name, inner);
    }
    return text;
  };
}

function simpleWriter(schema: SimpleSchema): Write {
  switch (schema.type) {
    case "string":
      return (value) => escapeXml(String(value));
    case "blob":
      return writeBlob;
    case "timestamp":
      return (value) => {
        assert(typeof value === "number", "a time of an answer is epoch milliseconds");
        return new Date(value).toISOString().replace(".000Z", "Z");
      };
    default:
      return (value) => String(value);
  }
}

export function element(name: string, inner: string): string {
  return inner === "" ? `<${name}/>` : `<${name}>${inner}</${name}>`;
}

// A carriage return would come out as a line feed; the others are no characters of XML 1.0.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const special = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

const replacements: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["\r", "&#xD;"],
]);

/**
 * Text for XML. What XML cannot hold becomes U+FFFD: an answer that parses beats one that breaks.
 */
export function escapeXml(text: string): string {
  if (text.search(special) < 0) return text;
  return text.replace(special, (character) => replacements.get(character) ?? "\ufffd");
}
