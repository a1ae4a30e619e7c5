import type { Json } from "../kernel/json.ts";

/** AWS: sizes of fields in bytes of UTF-8. */
export const textBytesMax = 1024;
export const parametersBytesMax = 100 * 1024;
export const additionalBytesMax = 28 * 1024;
export const recordBytesMax = 256 * 1024;

/** Cuts a text between two characters. */
export function truncate(text: string, bytesMax = textBytesMax): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  const bytes = Buffer.from(text, "utf8");
  let end = bytesMax;
  // A byte 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** AWS: content beyond the limit is left out, and the field says so. AWS?: the exact words. */
export function bounded(value: Json, field: string, bytesMax = parametersBytesMax): Json {
  const originalSize = value === null ? 0 : Buffer.byteLength(JSON.stringify(value));
  return originalSize <= bytesMax ? value : omitted(field, originalSize);
}

export function omitted(field: string, originalSize: number): Json {
  return { omitted: true, originalSize, reason: `${field} too large` };
}
