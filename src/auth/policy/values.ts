/** Typed values of conditions. Every reader answers undefined for a text that is none. */

/** A decimal number, with or without fraction. */
export function readNumber(text: string): number | undefined {
  if (!/^[+-]?\d{1,30}(\.\d{1,30})?$/.test(text)) return undefined;
  return Number(text);
}

/**
 * Epoch milliseconds of an ISO 8601 date in the forms of the W3C note, or of epoch seconds.
 * AWS?: a time without zone is UTC; four digits are a year, not seconds.
 */
export function readDate(text: string): number | undefined {
  const separator = text.indexOf("T");
  const day = dayForm.exec(separator < 0 ? text : text.slice(0, separator));
  if (day === null) {
    return /^\d{1,13}(\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : undefined;
  }
  const [, year, month = "01", dayOfMonth = "01"] = day;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(dayOfMonth));
  const date = new Date(ms);
  const exists =
    date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(dayOfMonth);
  if (!exists) return undefined;
  if (separator < 0) return ms;
  const time = day[3] === undefined ? null : timeForm.exec(text.slice(separator + 1));
  return time === null ? undefined : addTime(ms, time);
}

const dayForm = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const timeForm = /^(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/;

function addTime(dayMs: number, match: RegExpExecArray): number | undefined {
  const [, hour, minute, second = "0", fraction = "", zone] = match;
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const timeMs = (Number(hour) * 60 + Number(minute)) * 60_000 + Number(second) * 1000;
  return dayMs + timeMs + Math.floor(Number(`0${fraction}`) * 1000) - zoneMs(zone);
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === "Z") return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}

export function readBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (lower === "true") return true;
  return lower === "false" ? false : undefined;
}

/** Base64 in its one canonical text, so that equal bytes are equal texts. */
export function readBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Buffer.from(text, "base64").toString("base64");
}

export interface AddressRange {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

/** An address or CIDR range, IPv4 or IPv6; without prefix it is one address. */
export function readRange(text: string): AddressRange | undefined {
  const slash = text.indexOf("/");
  const bytes = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const bits = bytes.length * 8;
  if (slash < 0) return { bytes, prefixBits: bits };
  const prefix = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return undefined;
  return { bytes, prefixBits: Number(prefix) };
}

/** 4 or 16 bytes. An IPv4 address in IPv6 dress (`::ffff:1.2.3.4`) is the IPv4 address. */
export function readAddress(text: string): Uint8Array | undefined {
  if (text.includes(":")) return readIpv6(text);
  return readIpv4(text);
}

function readIpv4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.some((part) => part > 255) ? undefined : Uint8Array.from(parts);
}

function readIpv6(text: string): Uint8Array | undefined {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  let groups = text;
  const lastColon = text.lastIndexOf(":");
  if (text.includes(".")) {
    const tail = readIpv4(text.slice(lastColon + 1));
    if (tail === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = tail;
    const high = (a * 256 + b).toString(16);
    groups = `${text.slice(0, lastColon + 1)}${high}:${(c * 256 + d).toString(16)}`;
  }
  const halves = groups.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (all.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const bytes = new Uint8Array(16);
  for (const [index, group] of all.entries()) {
    const value = Number.parseInt(group, 16);
    bytes[index * 2] = value >> 8;
    bytes[index * 2 + 1] = value & 0xff;
  }
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  return mapped && bytes[11] === 0xff ? bytes.slice(12) : bytes;
}

export function inRange(range: AddressRange, address: Uint8Array): boolean {
  if (range.bytes.length !== address.length) return false;
  for (let index = 0, bits = range.prefixBits; bits > 0; index++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((range.bytes[index] ?? 0) & mask) !== ((address[index] ?? 0) & mask)) return false;
  }
  return true;
}

/** Case folding of simple kind: one character for one, so no two lengths are ever equal. */
export function foldCase(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII
  if (/^[\u0000-\u007f]*$/.test(text)) return text.toLowerCase();
  let folded = "";
  for (const char of text) {
    const upper = char.toUpperCase();
    const lower = (upper.length === char.length ? upper : char).toLowerCase();
    folded += lower.length === char.length ? lower : char;
  }
  return folded;
}
