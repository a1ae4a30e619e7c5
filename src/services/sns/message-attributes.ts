import type { MessageAttributeValue } from "@aws-sdk/client-sns";
import { Refusal } from "../../kernel/errors.ts";
import type { Wire } from "../../kernel/wire-types.ts";

/** A message attribute as the envelope shows it; Binary as base64. */
export interface NotificationAttribute {
  readonly Type: string;
  readonly Value: string;
}

export type NotificationAttributes = Readonly<Record<string, NotificationAttribute>>;

export interface CheckedAttributes {
  readonly attributes: NotificationAttributes | undefined;
  /** AWS: bytes of name, type and value count against the message's size. */
  readonly sizeBytes: number;
}

type Given = Readonly<Record<string, Wire<MessageAttributeValue>>>;

/**
 * Checks message attributes. `path` is where they stand in the request. Throws
 * ParameterValueInvalid with AWS's texts.
 */
export function checkMessageAttributes(given: Given | undefined, path: string): CheckedAttributes {
  const entries = given === undefined ? [] : Object.entries(given);
  if (entries.length === 0) return { attributes: undefined, sizeBytes: 0 };
  const checked: [string, NotificationAttribute][] = [];
  let sizeBytes = 0;
  for (const [name, attribute] of entries) {
    checkName(name);
    const { DataType } = attribute;
    if (!DataType) throw missingType(`${path}.${name}.member.dataType`);
    const value = checkValue(name, DataType, attribute);
    sizeBytes += Buffer.byteLength(name) + Buffer.byteLength(DataType);
    sizeBytes += typeof value === "string" ? Buffer.byteLength(value) : value.length;
    const Value = typeof value === "string" ? value : value.toString("base64");
    checked.push([name, { Type: DataType, Value }]);
  }
  return { attributes: Object.fromEntries(checked), sizeBytes };
}

/** The attributes as SQS takes them, for raw delivery. */
export function queueAttributes(attributes: NotificationAttributes): Given {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { Type, Value }]) => [
      name,
      Type.startsWith("Binary")
        ? { DataType: Type, BinaryValue: Buffer.from(Value, "base64") }
        : { DataType: Type, StringValue: Value },
    ]),
  );
}

function invalid(text: string): Refusal {
  return new Refusal("InvalidParameterValueException", text);
}

function missingType(path: string): Refusal {
  const constraint = "failed to satisfy constraint: Member must not be null";
  return new Refusal(
    "ValidationError",
    `1 validation error detected: Value null at '${path}' ${constraint}`,
    { status: 400 },
  );
}

const nameBytesMax = 255;

function checkName(name: string): void {
  if (Buffer.byteLength(name) > nameBytesMax) {
    throw invalid("Length of message attribute name must be less than 256 bytes.");
  }
  if (name.startsWith(".")) {
    throw invalid("Invalid message attribute name starting with character '.' was found.");
  }
  if (name.endsWith(".")) {
    throw invalid("Invalid message attribute name ending with character '.' was found.");
  }
  const foreign = /[^A-Za-z0-9_.-]/u.exec(name)?.[0];
  if (foreign !== undefined) {
    const code = foreign.codePointAt(0)?.toString(16).toUpperCase();
    throw invalid(
      `Invalid non-alphanumeric character '#x${code}' was found in the message attribute name. ` +
        "Can only include alphanumeric characters, hyphens, underscores, or dots.",
    );
  }
  if (name.includes("..")) {
    throw invalid("Message attribute name can not have successive '.' character.");
  }
}

/** A type: String, Number or Binary, and what the sender likes behind a dot. */
const dataType = /^(String|Number|Binary)(\..+)?$/s;

function checkValue(
  name: string,
  type: string,
  { StringValue, BinaryValue }: Wire<MessageAttributeValue>,
): string | Buffer {
  const kind = dataType.exec(type)?.[1];
  if (kind === undefined) {
    throw invalid(
      `The message attribute '${name}' has an invalid message attribute type, ` +
        "the set of supported type prefixes is Binary, Number, and String.",
    );
  }
  const field = kind === "Binary" ? "Binary" : "String";
  const value = kind === "Binary" ? BinaryValue : StringValue;
  const neither = StringValue === undefined && BinaryValue === undefined;
  if (value === undefined && !neither) {
    throw invalid(`The message attribute '${name}' with type '${type}' must use field '${field}'.`);
  }
  if (value === undefined || value.length === 0) {
    throw invalid(
      `The message attribute '${name}' must contain non-empty message attribute value ` +
        `for message attribute type '${type}'.`,
    );
  }
  return value;
}
