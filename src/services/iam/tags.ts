import type { Tag } from "@aws-sdk/client-iam";
import type { ConditionContext, ConditionValue } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { invalidInput, limitExceeded } from "./refusals.ts";

type Tags = Readonly<Record<string, string>>;

const tagsMax = 50;

/** Tags of a request. Throws InvalidInput. AWS?: texts of the reserved prefix. */
export function requestedTags(tags: readonly Wire<Tag>[]): Tags {
  const seen = new Set<string>();
  for (const { Key } of tags) {
    const key = Key.toLowerCase();
    if (key.startsWith("aws:")) throw invalidInput("Tag keys cannot start with aws:");
    if (seen.has(key)) {
      throw invalidInput(
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
      );
    }
    seen.add(key);
  }
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** AWS: keys of IAM tags are case-insensitive; a new value brings its key's spelling. */
export function mergedTags(present: Tags, added: Tags): Tags {
  const merged = { ...withoutTags(present, Object.keys(added)), ...added };
  if (Object.keys(merged).length > tagsMax) {
    throw limitExceeded(`The number of tags has reached the maximum limit of ${tagsMax}.`);
  }
  return merged;
}

export function withoutTags(present: Tags, names: readonly string[]): Tags {
  const removed = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(
    Object.entries(present).filter(([name]) => !removed.has(name.toLowerCase())),
  );
}

/** aws:RequestTag/k and aws:TagKeys. */
export function tagConditions(names: readonly string[], tags: Tags = {}): ConditionContext {
  if (names.length === 0) return {};
  const values: [string, ConditionValue][] = Object.entries(tags).map(([name, value]) => [
    `aws:requesttag/${name.toLowerCase()}`,
    value,
  ]);
  return { ...Object.fromEntries(values), "aws:tagkeys": names };
}
