import type { RecordKey, RecordRange } from "../kernel/records.ts";

/** One name for each record; the account comes first. */
export function recordName(key: RecordKey): string {
  return `${key.accountId}\0${key.region}\0${key.kind}\0${key.id}`;
}

/** One name for each part of the records whose ids begin alike; undefined: it is all of them. */
export function pageName({ idPrefix, afterId, limit }: RecordRange): string | undefined {
  const whole = afterId === undefined && limit === undefined;
  return whole ? undefined : JSON.stringify([idPrefix, afterId, limit]);
}

/** One name for all listings of a kind in a place. */
export function groupName(key: { accountId: string; region: string; kind: string }): string {
  return `${key.accountId}\0${key.region}\0${key.kind}`;
}

export function freezeDeep<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null) freezeDeep(member);
  }
  return Object.freeze(value);
}
