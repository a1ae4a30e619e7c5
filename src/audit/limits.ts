/** AWS: sizes of fields in bytes of UTF-8. */
export const textBytesMax = 1024;
export const parametersBytesMax = 100 * 1024;
export const additionalBytesMax = 28 * 1024;
export const recordBytesMax = 256 * 1024;

/** Cuts a text between two characters. */
export function truncate(text: string, bytesMax = textBytesMax): string {
  if (text.length * utf8BytesMax <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text;
  const bytes = Buffer.from(text, "utf8");
  let end = bytesMax;
  // A byte 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/**
 * AWS: content beyond the limit is left out, and the field says so. AWS?: the exact words. Takes
 * and gives JSON text.
 */
export function bounded(text: string, field: string, bytesMax = parametersBytesMax): string {
  const originalSize = bytesOver([text], bytesMax);
  return originalSize === undefined ? text : omitted(field, originalSize);
}

/** Size in bytes of UTF-8 of texts that together are beyond the limit; undefined: they are not. */
export function bytesOver(texts: readonly string[], bytesMax: number): number | undefined {
  let units = 0;
  for (const text of texts) units += text.length;
  // Where texts are short, their UTF-8 is: nearly always.
  if (units * utf8BytesMax <= bytesMax) return undefined;
  const bytes = Buffer.byteLength(texts.join(""));
  return bytes <= bytesMax ? undefined : bytes;
}

/** Bytes of UTF-8 that one unit of a JavaScript text has at most. */
const utf8BytesMax = 3;

export function omitted(field: string, originalSize: number): string {
  return JSON.stringify({ omitted: true, originalSize, reason: `${field} too large` });
}
