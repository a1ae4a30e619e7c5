import type { Tag } from "@aws-sdk/client-cloudtrail";
import type { Wire } from "../../kernel/wire-types.ts";
import { refuse } from "./refusals.ts";

type Tags = Readonly<Record<string, string>>;

/** AWS: tags of a trail. */
const tagsMax = 50;

/** Throws InvalidTagParameter. AWS?: the texts. */
export function readTags(given: readonly Wire<Tag>[]): Tags {
  const tags = new Map<string, string>();
  for (const { Key, Value = "" } of given) {
    if (/^aws:/i.test(Key)) throw invalidTag("Tag keys cannot begin with aws:");
    if (Key === "" || Key.length > 128) throw invalidTag("Tag keys have 1 to 128 characters.");
    if (Value.length > 256) throw invalidTag("Tag values have at most 256 characters.");
    if (tags.has(Key)) throw invalidTag(`The tag key ${Key} is there more than once.`);
    tags.set(Key, Value);
  }
  return checkCount(Object.fromEntries(tags));
}

function invalidTag(text: string) {
  return refuse("InvalidTagParameterException", text);
}

/** Throws TagsLimitExceeded. */
export function withTags(present: Tags, added: Tags): Tags {
  return checkCount({ ...present, ...added });
}

function checkCount(tags: Tags): Tags {
  if (Object.keys(tags).length <= tagsMax) return tags;
  throw refuse("TagsLimitExceededException", `A trail has at most ${tagsMax} tags.`);
}

/** AWS: a tag goes if its key is given, and its value, if one is given, is the same. */
export function withoutTags(present: Tags, given: readonly Wire<Tag>[]): Tags {
  const goes = ([key, value]: readonly [string, string]) =>
    given.some(({ Key, Value }) => Key === key && (Value === undefined || Value === value));
  return Object.fromEntries(Object.entries(present).filter((tag) => !goes(tag)));
}

export function presentTags(tags: Tags): readonly Wire<Tag>[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
