import type { EpochMs } from "../kernel/clock.ts";
import type { TrailIdentity } from "../services/cloudtrail/store.ts";

/** AWS: keys of the objects that a trail delivers. */

const uniqueCharacters = 16;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Everything that a trail delivers for its account lies under this. */
export function accountFolder(prefix: string | undefined, accountId: string): string {
  return `${prefix === undefined ? "" : `${prefix}/`}AWSLogs/${accountId}`;
}

export function logFileKey(
  prefix: string | undefined,
  accountId: string,
  region: string,
  atMs: EpochMs,
  unique: string,
): string {
  const { day, stamp } = timeParts(atMs);
  const folder = `${accountFolder(prefix, accountId)}/CloudTrail/${region}/${day}`;
  return `${folder}/${accountId}_CloudTrail_${region}_${stamp.slice(0, 13)}Z_${unique}.json.gz`;
}

export function digestKey(
  prefix: string | undefined,
  { accountId, region: homeRegion, name }: TrailIdentity,
  region: string,
  endMs: EpochMs,
): string {
  const { day, stamp } = timeParts(endMs);
  const folder = `${accountFolder(prefix, accountId)}/CloudTrail-Digest/${region}/${day}`;
  const file = `${accountId}_CloudTrail-Digest_${region}_${name}_${homeRegion}_${stamp}Z.json.gz`;
  return `${folder}/${file}`;
}

/** Whether a key is that of a digest of this trail and region. */
export function isDigestOf(key: string, trail: TrailIdentity, region: string): boolean {
  const file = key.slice(key.lastIndexOf("/") + 1);
  const { accountId, name, region: home } = trail;
  const start = `${accountId}_CloudTrail-Digest_${region}_${name}_${home}_`;
  return file.startsWith(start) && /^\d{8}T\d{6}Z\.json\.gz$/.test(file.slice(start.length));
}

/**
 * When a log file was delivered, to the minute, as its name says; undefined: it is no such name.
 */
export function logFileTime(key: string): EpochMs | undefined {
  const found = /_CloudTrail_[^/]*_(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})Z_[^/]*\.json\.gz$/.exec(
    key,
  );
  if (!found) return undefined;
  const [, year, month, day, hour, minute] = found.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute);
}

/** End of a digest, as its name says. */
export function digestTime(key: string): EpochMs {
  const found = /_(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.json\.gz$/.exec(key);
  const [, year, month, day, hour, minute, second] = (found ?? []).map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

/** AWS: 16 letters and digits, so that no file takes the place of another. */
export function uniqueString(bytes: (length: number) => Uint8Array): string {
  let unique = "";
  while (unique.length < uniqueCharacters) {
    for (const byte of bytes(uniqueCharacters)) {
      // 248 is the last multiple of 62: beyond it the first letters would come too often.
      if (byte < 248 && unique.length < uniqueCharacters) unique += alphabet[byte % 62];
    }
  }
  return unique;
}

/** `2026-01-02T03:04:05Z` */
export function secondsTime(ms: EpochMs): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function timeParts(ms: EpochMs): { readonly day: string; readonly stamp: string } {
  const time = new Date(ms).toISOString();
  return {
    day: time.slice(0, 10).replaceAll("-", "/"),
    stamp: time.slice(0, 19).replace(/[-:]/g, ""),
  };
}
