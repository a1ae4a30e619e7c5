import type { EpochMs } from "../kernel/clock.ts";
import { manyTexts, memoText } from "../kernel/memo.ts";
import { AuthFailure } from "./failure.ts";
import type { ClaimedScope, SigningScope } from "./signing-keys.ts";

const terminator = "aws4_request";

/** The time that a request was signed at. */
export interface SigningTime {
  /** `YYYYMMDDTHHMMSSZ` as it is signed. */
  readonly timestamp: string;
  readonly timestampMs: EpochMs;
}

/** Reads an ISO 8601 basic time. Throws AuthFailure `incomplete`. */
export const readTime = memoText((text): SigningTime => {
  const ms = /^\d{8}T\d{6}Z$/.test(text) ? timeOf(text) : Number.NaN;
  if (Number.isFinite(ms)) return { timestamp: text, timestampMs: ms };
  throw notATime(text);
});

/** Reads the header Date, which may be of HTTP's own form. Throws AuthFailure `incomplete`. */
export function readHttpTime(text: string): SigningTime {
  const isHttp = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text);
  if (!isHttp) return readTime(text);
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return { timestamp: basicTime(ms), timestampMs: ms };
  throw notATime(text);
}

function notATime(text: string): AuthFailure {
  return new AuthFailure(
    "incomplete",
    `Date must be in ISO-8601 'basic format'. Got '${text.slice(0, 64)}'. ` +
      "See http://en.wikipedia.org/wiki/ISO_8601",
  );
}

/** NaN: there is no such day or time. */
function timeOf(text: string): number {
  const number = (from: number, to: number) => Number(text.slice(from, to));
  const [month, day, hour] = [number(4, 6), number(6, 8), number(9, 11)];
  const [minute, second] = [number(11, 13), number(13, 15)];
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const ms = Date.UTC(number(0, 4), month - 1, day, hour, minute, second);
  const date = new Date(ms);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? ms : Number.NaN;
}

/** `YYYYMMDDTHHMMSSZ` */
export function basicTime(ms: EpochMs): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

/**
 * Reads a credential (`keyid/date/region/service/aws4_request`) and compares its day with that of
 * the signature. Throws AuthFailure `incomplete` or `scope-mismatch`.
 */
export function readScope(credential: string, timestamp: string): ClaimedScope {
  const { scope, term, named } = scopeOf(credential);
  const { scopeDate } = scope;
  const right = term === terminator && timestamp.startsWith(scopeDate) && scopeDate.length === 8;
  if (right && named) return scope;
  throw scopeMismatch(scope, term, timestamp);
}

interface ReadScope {
  readonly scope: ClaimedScope;
  readonly term: string;
  /** Region and service have the form of names. */
  readonly named: boolean;
}

const scopeOf = memoText((credential): ReadScope => {
  const parts = credential.split("/");
  if (parts.length !== 5 || parts[0] === "") {
    throw new AuthFailure(
      "incomplete",
      "Credential must have exactly 5 slash-delimited elements, " +
        `e.g. keyid/date/region/service/term, got '${credential.slice(0, 256)}'`,
    );
  }
  const [accessKeyId = "", scopeDate = "", region = "", service = "", term = ""] = parts;
  const scope = { accessKeyId, scopeDate, region, service, credential };
  return { scope, term, named: name.test(region) && name.test(service) };
}, manyTexts);

function scopeMismatch(scope: SigningScope, term: string, timestamp: string): AuthFailure {
  const { scopeDate, region, service } = scope;
  const day = timestamp.slice(0, 8);
  const wrong = [
    name.test(region) ? "" : `Credential should be scoped to a valid region, not '${region}'. `,
    name.test(service) ? "" : `Credential should be scoped to correct service: '${service}'. `,
    term === terminator
      ? ""
      : `Credential should be scoped with a valid terminator: '${terminator}', not '${term}'. `,
    scopeDate === day
      ? ""
      : "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from " +
        `HTTP: '${scopeDate}' != '${day}', from '${timestamp}'.`,
  ].join("");
  return new AuthFailure("scope-mismatch", wrong.trimEnd().slice(0, 1024));
}

/** Region and service become parts of ARNs and of record keys. */
const name = /^[a-z0-9-]{1,64}$/;
