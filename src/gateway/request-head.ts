import type { HeaderValues } from "../auth/canonical.ts";

/** The head of a request. One byte of the wire per character. */
export interface RequestHead {
  readonly method: string;
  /** Raw, as sent. */
  readonly target: string;
  readonly headers: HeaderValues;
}

/** A head with where its body begins and how long that is, in bytes. */
export interface PlainHead extends RequestHead {
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/**
 * The heads that are read here: GET or POST of HTTP/1.1 with well-formed lines: no folding, no bare
 * CR or LF, no control characters. Each character fits one place of the pattern only, so that the
 * time is linear.
 */
const pattern =
  /^(?:GET|POST) [!-~]+ HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n$/;

/** What only node:http deals with: framing other than by length, and other protocols. */
const framing: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads the head at the start of `bytes` if it is whole and of the plain form; undefined for
 * everything else, about which nothing is said: `node:http` decides what it is.
 *
 * INVARIANT: whatever two parsers could read in two ways (repeated headers, two framings, a length
 * that is not only digits) is not read here.
 */
export function readPlainHead(bytes: Buffer, headBytesMax: number): PlainHead | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0 || end > headBytesMax) return undefined;
  const text = bytes.toString("latin1", 0, end + 4);
  if (!pattern.test(text)) return undefined;
  const methodEnd = text.indexOf(" ");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  const headers = readFields(text, text.indexOf("\r\n") + 2);
  if (headers === undefined) return undefined;
  const bodyBytes = bodyLength(headers.get("content-length"));
  if (bodyBytes === undefined || !headers.has("host")) return undefined;
  return {
    method: text.slice(0, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    headers,
    bodyAt: end + 4,
    bodyBytes,
  };
}

/** undefined: a header comes twice or is one of `framing`, or a value has blanks to collapse. */
function readFields(text: string, start: number): HeaderValues | undefined {
  const headers = new Map<string, string>();
  const last = text.length - 2;
  for (let at = start; at < last; ) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    const name = text.slice(at, colon).toLowerCase();
    const value = trimBlanks(text, colon + 1, end);
    if (headers.has(name) || value.includes("  ") || value.includes("\t")) return undefined;
    if (framing.has(name) && !(name === "connection" && /^keep-alive$/i.test(value))) {
      return undefined;
    }
    headers.set(name, value);
    at = end + 2;
  }
  return headers;
}

function trimBlanks(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function bodyLength(text: string | undefined): number | undefined {
  if (text === undefined) return 0;
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
