const quote = 0x22;
const backslash = 0x5c;

/** Bytes of a text looked at one by one before the next quote is sought. */
const nearBytes = 32;

/**
 * Whether lists and objects of a JSON document lie in each other deeper than this. Valid UTF-8
 * need not be valid JSON: brackets outside of texts are counted, however they match. One pass;
 * texts are jumped over, so a large message body costs next to nothing.
 */
export function nestsDeeper(document: Buffer, depthMax: number): boolean {
  let depth = 0;
  for (let index = 0; index < document.length; index += 1) {
    const byte = document[index];
    if (byte === quote) {
      index = textEnd(document, index + 1);
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/**
 * Index of the quote that ends the text whose first byte this is. Quotes that are far apart are
 * cheapest to seek, those that are near, as of JSON in JSON, to come across: where one that was
 * sought was near and ended nothing, longer stretches are gone through byte by byte.
 */
function textEnd(document: Buffer, start: number): number {
  const { length } = document;
  let index = start;
  let stretchBytes = nearBytes;
  while (index < length) {
    const stretchEnd = Math.min(length, index + stretchBytes);
    for (; index < stretchEnd; index += 1) {
      const byte = document[index];
      if (byte === quote) return index;
      if (byte === backslash) index += 1;
    }
    const found = document.indexOf(quote, index);
    if (found < 0) break;
    if (!isEscaped(document, found)) return found;
    stretchBytes = found - index < stretchBytes ? stretchBytes * 2 : nearBytes;
    index = found + 1;
  }
  return length;
}

/** By an odd number of backslashes, of which those before it escape each other. */
function isEscaped(document: Buffer, index: number): boolean {
  let slashes = 0;
  while (document[index - 1 - slashes] === backslash) slashes += 1;
  return slashes % 2 === 1;
}
