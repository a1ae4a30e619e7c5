import { namedKeys } from "../../auth/policy/index.ts";
import type { ConditionContext } from "../../kernel/operation.ts";
import { invalidParameter, missingParameter } from "./refusals.ts";

export type Tags = Readonly<Record<string, string>>;

const tagsMax = 50;
const keyCharsMax = 128;
const valueCharsMax = 256;
const legalPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Tags after adding some. Throws InvalidParameterValue (AWS?: texts but that for too many). */
export function addTags(queueName: string, before: Tags, added: Tags): Tags {
  for (const [key, value] of Object.entries(added)) checkTag(key, value);
  const tags = { ...before, ...added };
  if (Object.keys(tags).length > tagsMax) {
    throw invalidParameter(`Too many tags added for queue ${queueName}.`);
  }
  return tags;
}

export function requireTags(tags: Tags | undefined): Tags {
  if (!tags || Object.keys(tags).length === 0) throw missingParameter("Tags");
  return tags;
}

function checkTag(key: string, value: string): void {
  if (key.length < 1 || key.length > keyCharsMax || !legalPattern.test(key)) {
    throw invalidParameter(`Invalid tag key: 1 to ${keyCharsMax} letters, digits and _.:/=+-@.`);
  }
  if (/^aws:/i.test(key)) {
    throw invalidParameter("Tag keys that start with aws: are reserved for system use.");
  }
  if (value.length > valueCharsMax || !legalPattern.test(value)) {
    throw invalidParameter(`Invalid tag value: up to ${valueCharsMax} letters, digits, _.:/=+-@.`);
  }
}

/** Condition keys of a request that sets tags. */
export function tagContext(tags: Tags | undefined): ConditionContext {
  return {
    ...namedKeys("aws:requesttag/", tags ?? {}),
    "aws:tagkeys": Object.keys(tags ?? {}),
  };
}
