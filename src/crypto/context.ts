import { Refusal } from "../kernel/errors.ts";
import type { EncryptionContext } from "../kernel/keyvault.ts";

const fieldBytesMax = 0xffff;

/**
 * Canonical bytes of an encryption context: pairs in order of the UTF-8 bytes of their keys, every
 * text as u16be length ‖ bytes. Two contexts have the same bytes exactly if they hold the same
 * pairs. No context is the empty one.
 *
 * Throws Refusal `ValidationException` for what has no such form: a lone surrogate, which UTF-8
 * would fold into another text, or a text over 65,535 bytes. AWS?: code and limits of these.
 */
export function canonicalContext(context: EncryptionContext): Buffer {
  const entries = Object.entries(context);
  if (entries.length === 0) return noContext;
  const pairs = entries.map(([key, value]) => [encode(key), encode(value)] as const);
  pairs.sort(([left], [right]) => Buffer.compare(left, right));
  const parts: Buffer[] = [];
  for (const [key, value] of pairs) parts.push(lengthOf(key), key, lengthOf(value), value);
  return Buffer.concat(parts);
}

const noContext = Buffer.alloc(0);

function encode(text: string): Buffer {
  if (!text.isWellFormed()) throw invalid("holds text that is not well-formed Unicode");
  const bytes = Buffer.from(text);
  if (bytes.length > fieldBytesMax) throw invalid(`holds a text over ${fieldBytesMax} bytes`);
  return bytes;
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return length;
}

function invalid(what: string): Refusal {
  return new Refusal("ValidationException", `The encryption context ${what}.`);
}
