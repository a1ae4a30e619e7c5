import type { Tag } from "@aws-sdk/client-kms";
import type { Wire } from "../../kernel/wire-types.ts";
import { refuse } from "./refusals.ts";

const tagsMax = 50;

/** Tags of a request. Throws TagException for reserved and doubled keys. */
export function requestedTags(tags: readonly Wire<Tag>[]): Readonly<Record<string, string>> {
  const pairs = new Map<string, string>();
  for (const { TagKey, TagValue } of tags) {
    const key = requireTagKey(TagKey ?? "");
    if (pairs.has(key)) throw refuse("TagException", "Duplicate tag keys");
    pairs.set(key, TagValue ?? "");
  }
  return checkedCount(Object.fromEntries(pairs));
}

/** The tags of a key after a TagResource; a key that is there is overwritten. */
export function mergedTags(
  present: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return checkedCount({ ...present, ...added });
}

export function withoutTags(
  present: Readonly<Record<string, string>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const removed = new Set(names);
  return Object.fromEntries(Object.entries(present).filter(([name]) => !removed.has(name)));
}

export function requireTagKey(key: string): string {
  if (key.toLowerCase().startsWith("aws:")) {
    throw refuse("TagException", "Tags beginning with aws: are reserved");
  }
  return key;
}

function checkedCount(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (Object.keys(tags).length > tagsMax) throw refuse("TagException", "Too many tags");
  return tags;
}
