import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { Wire } from "../../kernel/wire-types.ts";
import { type DigestibleAttribute, md5OfAttributes } from "./md5.ts";
import { invalidParameter } from "./refusals.ts";

type AttributeValue = Wire<MessageAttributeValue>;

/** Checked attributes of one message. */
export interface PackedAttributes {
  /** JSON as the store keeps it. */
  readonly text: string;
  readonly md5: string;
  /** Names, data types and values, as AWS counts them. */
  readonly sizeBytes: number;
}

/** An attribute as the store keeps it; binary values as base64. */
interface StoredAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

const attributesMax = 10;
const nameBytesMax = 256;
const typePattern = /^(String|Number|Binary)(\..+)?$/s;
const namePattern = /^[\p{L}\p{N}_.-]+$/u;
const reservedPattern = /^(aws|amazon)\./i;
/** #x9 #xA #xD and everything that is no control character, surrogate half or non-character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
const illegalPattern = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;

/** Whether SQS takes the text as a body or value. AWS: the character ranges of SendMessage. */
export function isLegalText(text: string): boolean {
  return text.isWellFormed() && !illegalPattern.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
const illegalOrHalfPattern = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF\p{Cs}]/u;

/** AWS: the first character that SQS does not take, as its refusals show it. */
export function illegalCharacter(text: string): string {
  const code = text.codePointAt(text.search(illegalOrHalfPattern)) ?? 0;
  return `#x${code.toString(16).toUpperCase()}`;
}

/** Checks the attributes of a message; undefined: there are none. Throws InvalidParameterValue. */
export function packAttributes(
  given: Readonly<Record<string, AttributeValue>> | undefined,
): PackedAttributes | undefined {
  if (given === undefined) return undefined;
  const entries = Object.entries(given);
  if (entries.length === 0) return undefined;
  if (entries.length > attributesMax) {
    throw invalidParameter(
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [10].`,
    );
  }
  return pack(entries.map(([name, value]) => checkAttribute(name, value, "user")));
}

/** Checks MessageSystemAttributes: AWSTraceHeader is the only one. */
export function packSystemAttributes(
  given: Readonly<Record<string, AttributeValue | undefined>> | undefined,
): { readonly traceHeader: string; readonly md5: string } | undefined {
  if (given === undefined) return undefined;
  const entries = Object.entries(given);
  if (entries.length === 0) return undefined;
  for (const [name, value] of entries) {
    if (name !== "AWSTraceHeader" || value === undefined) {
      throw invalidParameter(`Message system attribute name '${name}' is invalid.`);
    }
    const checked = checkAttribute(name, value, "system");
    // AWS: its type must be String.
    if (checked.dataType === "String" && typeof checked.value === "string") {
      return { traceHeader: checked.value, md5: md5OfAttributes([checked]) };
    }
  }
  // AWS?: the text for a trace header that is not a String.
  throw invalidParameter(
    "The type of message (system) attribute 'AWSTraceHeader' is invalid. " +
      "You must use only the following supported type prefixes: String.",
  );
}

function pack(attributes: readonly DigestibleAttribute[]): PackedAttributes {
  let sizeBytes = 0;
  const stored: [string, StoredAttribute][] = [];
  for (const { name, dataType: DataType, value } of attributes) {
    const text = typeof value === "string";
    sizeBytes += Buffer.byteLength(name) + Buffer.byteLength(DataType);
    sizeBytes += text ? Buffer.byteLength(value) : value.length;
    stored.push([
      name,
      text ? { DataType, StringValue: value } : { DataType, BinaryValue: toBase64(value) },
    ]);
  }
  // fromEntries defines members, so that a name such as `__proto__` is one like any other.
  const text = JSON.stringify(Object.fromEntries(stored));
  return { text, md5: md5OfAttributes(attributes), sizeBytes };
}

function checkAttribute(
  name: string,
  given: AttributeValue,
  kind: "user" | "system",
): DigestibleAttribute {
  if (kind === "user") checkName(name);
  const { DataType: dataType = "", StringValue, BinaryValue } = given;
  if (given.StringListValues?.length || given.BinaryListValues?.length) {
    throw invalidParameter(
      "Message attribute list values in SendMessage operation are not supported.",
    );
  }
  const type = typePattern.exec(dataType)?.[1];
  if (!type || Buffer.byteLength(dataType) > nameBytesMax) {
    throw invalidParameter(
      `The type of message (${kind}) attribute '${name}' is invalid. You must use only the ` +
        "following supported type prefixes: Binary, Number, String.",
    );
  }
  if (StringValue === undefined && BinaryValue === undefined) {
    throw invalidParameter(
      `The message (${kind}) attribute '${name}' must contain a non-empty message attribute value.`,
    );
  }
  const value = type === "Binary" ? BinaryValue : StringValue;
  if (!value?.length) {
    throw invalidParameter(
      `Message (${kind}) attribute '${name}' must contain a non-empty value of type '${type}'.`,
    );
  }
  if (typeof value === "string") checkText(name, type, value, kind);
  return { name, dataType, value };
}

function checkName(name: string): void {
  if (name === "") {
    throw invalidParameter("The request must contain non-empty message (user) attribute names.");
  }
  if (Buffer.byteLength(name) > nameBytesMax) {
    throw invalidParameter("Message (user) attribute name must be shorter than 256 bytes.");
  }
  if (reservedPattern.test(name)) {
    throw invalidParameter(
      "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. " +
        "These strings are reserved for internal use.",
    );
  }
  const dots = name.startsWith(".") || name.endsWith(".") || name.includes("..");
  if (dots || !namePattern.test(name)) {
    // AWS?: the text.
    throw invalidParameter(
      `Invalid message (user) attribute name '${name}'. Names can contain letters, digits, ` +
        "underscores, hyphens and single periods inside.",
    );
  }
}

function checkText(name: string, type: string, value: string, kind: "user" | "system"): void {
  if (type === "Number" && !isNumber(value)) {
    throw invalidParameter(
      `Can't cast the value of message (${kind}) attribute '${name}' to a number.`,
    );
  }
  if (!isLegalText(value)) {
    // AWS?: the text.
    throw invalidParameter(
      `The value of message (${kind}) attribute '${name}' contains invalid characters.`,
    );
  }
}

const significantDigitsMax = 38;
const numberLengthMax = 256;

/** AWS: up to 38 digits, between 10^-128 and 10^126. */
function isNumber(text: string): boolean {
  if (text.length > numberLengthMax) return false;
  const match = /^[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (!match) return false;
  const [, whole = "", fraction = "", exponentText = "0"] = match;
  if (whole === "" && fraction === "") return false;
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return true;
  const significant = digits.replace(/0+$/, "").length;
  const magnitude = digits.length - fraction.length - 1 + Number(exponentText);
  return significant <= significantDigitsMax && magnitude >= -128 && magnitude <= 126;
}

/** Which attributes a receive wants; undefined: none. */
export type AttributeFilter = ((name: string) => boolean) | undefined;

/** AWS: `All`, `.*`, exact names, and `prefix.*`. `*` is taken as all, too. */
export function attributeFilter(names: readonly string[] | undefined): AttributeFilter {
  if (!names?.length) return undefined;
  if (names.some((name) => name === "All" || name === ".*" || name === "*")) return () => true;
  const exact = new Set(names);
  const prefixes = names.filter((name) => name.endsWith(".*")).map((name) => name.slice(0, -2));
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/** The wished attributes of a stored message with the MD5 over just those; undefined: none. */
export function unpackAttributes(
  text: string,
  filter: AttributeFilter,
): { readonly attributes: Record<string, AttributeValue>; readonly md5: string } | undefined {
  if (filter === undefined || text === "") return undefined;
  // This process wrote the text, in `pack`.
  const stored = JSON.parse(text) as Readonly<Record<string, StoredAttribute>>;
  const digestible: DigestibleAttribute[] = [];
  const attributes: [string, AttributeValue][] = [];
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(stored)) {
    if (!filter(name)) continue;
    if (BinaryValue === undefined) {
      digestible.push({ name, dataType: DataType, value: StringValue ?? "" });
      attributes.push([name, { DataType, StringValue }]);
    } else {
      const bytes = Buffer.from(BinaryValue, "base64");
      digestible.push({ name, dataType: DataType, value: bytes });
      attributes.push([name, { DataType, BinaryValue: bytes }]);
    }
  }
  if (digestible.length === 0) return undefined;
  return { attributes: Object.fromEntries(attributes), md5: md5OfAttributes(digestible) };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
