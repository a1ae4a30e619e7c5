import { hash } from "node:crypto";

export function md5Hex(bytes: Uint8Array): string {
  return hash("md5", bytes, "hex");
}

/** One attribute as MD5 sees it. */
export interface DigestibleAttribute {
  readonly name: string;
  /** With its label: `Number.java.lang.Integer`. */
  readonly dataType: string;
  /** Text of String and Number, bytes of Binary. */
  readonly value: string | Uint8Array;
}

const transportString = 1;
const transportBinary = 2;

/**
 * MD5OfMessageAttributes, hex. AWS: names ascending; of each, length-prefixed name and data type,
 * one byte for the transport type, length-prefixed value.
 */
export function md5OfAttributes(attributes: readonly DigestibleAttribute[]): string {
  const sorted = attributes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const parts: Uint8Array[] = [];
  for (const { name, dataType, value } of sorted) {
    const text = typeof value === "string";
    parts.push(...prefixed(Buffer.from(name)), ...prefixed(Buffer.from(dataType)));
    parts.push(Uint8Array.of(text ? transportString : transportBinary));
    parts.push(...prefixed(text ? Buffer.from(value) : value));
  }
  return md5Hex(Buffer.concat(parts));
}

function prefixed(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}
