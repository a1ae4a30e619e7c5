import type { RecordEntry } from "../../kernel/records.ts";
import { invalidParameter } from "./errors.ts";

/** AWS: list calls answer at most 100 entries. */
export const pageEntriesMax = 100;

/** Range of the page that a NextToken asks for. Throws InvalidParameter for a foreign token. */
export function pageRange(token: string | undefined): { afterId?: string; limit: number } {
  // One more than a page holds tells whether another page follows.
  const limit = pageEntriesMax + 1;
  if (!token) return { limit };
  const text = Buffer.from(token, "base64url").toString("utf8");
  const genuine = text.startsWith(tokenMark) && encodeToken(text.slice(1)) === token;
  if (!genuine) throw invalidParameter("NextToken");
  return { afterId: text.slice(1), limit };
}

/** Cuts what was read by `pageRange` to a page. */
export function pageOf<T>(entries: readonly RecordEntry<T>[]): {
  readonly page: readonly RecordEntry<T>[];
  readonly NextToken?: string;
} {
  if (entries.length <= pageEntriesMax) return { page: entries };
  const page = entries.slice(0, pageEntriesMax);
  return { page, NextToken: encodeToken(page[pageEntriesMax - 1]?.id ?? "") };
}

const tokenMark = ">";

function encodeToken(afterId: string): string {
  return Buffer.from(tokenMark + afterId, "utf8").toString("base64url");
}
