import type { Tag } from "@aws-sdk/client-sns";
import { namedKeys } from "../../auth/policy/index.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { ConditionContext } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { invalidParameter } from "./errors.ts";

/** AWS: 50 tags a topic. */
const tagsMax = 50;

export type Tags = Readonly<Record<string, string>>;

/** Tags of a request. Throws InvalidParameter for a key that is there twice or reserved. */
export function readTags(tags: readonly Wire<Tag>[] = []): Tags {
  const read = new Map<string, string>();
  for (const { Key, Value } of tags) {
    if (read.has(Key)) throw invalidParameter("Duplicated keys are not allowed.");
    // AWS?: the text.
    if (/^aws:/i.test(Key)) throw invalidParameter("Tags Reason: aws: is a reserved prefix");
    read.set(Key, Value);
  }
  return Object.fromEntries(read);
}

/** Old tags with new ones over them. Throws TagLimitExceeded beyond 50. */
export function mergeTags(before: Tags, added: Tags): Tags {
  const tags = { ...before, ...added };
  if (Object.keys(tags).length <= tagsMax) return tags;
  throw new Refusal(
    "TagLimitExceededException",
    "Could not complete request: tag quota of per resource exceeded",
  );
}

/** aws:RequestTag and aws:TagKeys of a call that brings tags. */
export function requestTagContext(tags: Tags): ConditionContext | undefined {
  const keys = Object.keys(tags);
  if (keys.length === 0) return undefined;
  return { ...namedKeys("aws:requesttag/", tags), "aws:tagkeys": keys };
}
