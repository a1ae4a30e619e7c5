/**
 * The canonical form that SigV4 signs. Strings hold one byte of the wire per character (as
 * node:http hands out paths and header values), so non-ASCII bytes survive unchanged.
 */

/** Header names and values alternately, as received (`rawHeaders` of node:http). */
export type RawHeaders = readonly string[];

/**
 * Headers as a signature covers them: one value for each lower-case name, trimmed, with inner
 * blanks collapsed, those of repeated headers joined by commas in order of arrival.
 */
export type HeaderValues = ReadonlyMap<string, string>;

const unreserved = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
  unreserved[char.charCodeAt(0)] = 1;
}
const percentOf = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
);

/** Percent-encodes every byte but the unreserved ones (and `/` where it separates segments). */
function encode(bytes: string, keepSlash: boolean): string {
  let encoded = "";
  let from = 0;
  for (let index = 0; index < bytes.length; index++) {
    const code = bytes.charCodeAt(index) & 0xff;
    if (unreserved[code] === 1 || (keepSlash && code === 0x2f)) continue;
    encoded += bytes.slice(from, index) + percentOf[code];
    from = index + 1;
  }
  return from === 0 ? bytes : encoded + bytes.slice(from);
}

/**
 * The canonical URI of services other than S3: dot segments and empty segments removed, then the
 * path *as it stands on the wire* encoded once more (so `%20` becomes `%2520`).
 */
export function canonicalUri(path: string): string {
  if (path === "/" || path === "") return "/";
  return encode(normalizePath(path), true);
}

function normalizePath(path: string): string {
  if (!path.includes("//") && !path.includes("/.")) return path.startsWith("/") ? path : `/${path}`;
  const kept: string[] = [];
  const segments = path.split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "." && segment !== "") kept.push(segment);
  }
  const last = segments.at(-1);
  const asFolder = kept.length > 0 && (last === "" || last === "." || last === "..");
  return `/${kept.join("/")}${asFolder ? "/" : ""}`;
}

export interface QueryPair {
  readonly name: string;
  readonly value: string;
}

/** Splits a raw query and decodes names and values to bytes; `+` is a blank, as in forms. */
export function queryPairs(query: string): readonly QueryPair[] {
  if (query === "") return [];
  const pairs: QueryPair[] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    pairs.push({ name, value: equals < 0 ? "" : decode(part.slice(equals + 1)) });
  }
  return pairs;
}

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  let decoded = "";
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    const byte = char === "%" ? hexByte(text, index + 1) : -1;
    if (byte >= 0) index += 2;
    decoded += byte >= 0 ? String.fromCharCode(byte) : char === "+" ? " " : char;
  }
  return decoded;
}

function hexByte(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** The canonical query: decoded, encoded anew with `%20`, sorted by name then value. */
export function canonicalQuery(pairs: readonly QueryPair[], leaveOut?: string): string {
  if (pairs.length === 0) return "";
  return pairs
    .filter(({ name }) => name !== leaveOut)
    .map(({ name, value }) => [encode(name, false), encode(value, false)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a signature covers of headers as received. */
export function headerValues(headers: RawHeaders): HeaderValues {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? "").toLowerCase();
    const value = collapseBlanks(headers[index + 1] ?? "");
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return values;
}

/** ASCII blanks only: `\s` would take byte 0xA0, half of a UTF-8 letter, for a blank. */
function collapseBlanks(value: string): string {
  if (!/^[ \t]|[ \t]$|[\t\r\n\f\v]| {2}/.test(value)) return value;
  return value.replace(/[ \t\r\n\f\v]+/g, " ").replace(/^ | $/g, "");
}

/** `name:value` lines of the signed headers; an absent one counts as empty. */
export function canonicalHeaders(values: HeaderValues, names: readonly string[]): string {
  let lines = "";
  for (const name of names) lines += `${name}:${values.get(name) ?? ""}\n`;
  return lines;
}
