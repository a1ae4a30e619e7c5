import type { IncomingHttpHeaders } from "node:http";

/** The head of a request, as `node:http` would give it. */
export interface RequestHead {
  readonly method: string;
  /** Raw, as sent. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as sent. One byte of the wire per character. */
  readonly rawHeaders: readonly string[];
}

/** A head with where its body begins and how long that is, in bytes. */
export interface PlainHead extends RequestHead {
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/**
 * The heads that are read here: GET or POST of HTTP/1.1 with well-formed lines: no folding, no bare
 * CR or LF, no control characters, and (for the sake of `__proto__`) no underscore in a name. Each
 * character fits one place of the pattern only, so that the time is linear.
 */
const pattern =
  /^(?:GET|POST) [!-~]+ HTTP\/1\.1\r\n(?:[!#$%&'*+.^`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n$/;

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
  const fields = readFields(text, text.indexOf("\r\n") + 2);
  if (fields === undefined) return undefined;
  const bodyBytes = bodyLength(fields.headers["content-length"]);
  if (bodyBytes === undefined || fields.headers.host === undefined) return undefined;
  return {
    method: text.slice(0, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    ...fields,
    bodyAt: end + 4,
    bodyBytes,
  };
}

/** undefined: a header comes twice (or like a member of every object), or is one of `framing`. */
function readFields(
  text: string,
  start: number,
): Pick<RequestHead, "headers" | "rawHeaders"> | undefined {
  const headers: Record<string, string> = {};
  const rawHeaders: string[] = [];
  const last = text.length - 2;
  for (let at = start; at < last; ) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    const name = text.slice(at, colon);
    const key = name.toLowerCase();
    const value = trimBlanks(text, colon + 1, end);
    if (headers[key] !== undefined) return undefined;
    if (framing.has(key) && !(key === "connection" && /^keep-alive$/i.test(value))) {
      return undefined;
    }
    headers[key] = value;
    rawHeaders.push(name, value);
    at = end + 2;
  }
  return { headers, rawHeaders };
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
