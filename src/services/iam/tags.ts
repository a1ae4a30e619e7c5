import type { Tag } from "@aws-sdk/client-iam";
import type { ConditionContext, ConditionValue, ResourceUse } from "../../kernel/operation.ts";
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
export function mergedTagsOf(present: Tags, added: Tags): Tags {
  return { ...withoutTags(present, Object.keys(added)), ...added };
}

/** As `mergedTagsOf`. Throws LimitExceeded. */
export function mergedTags(present: Tags, added: Tags): Tags {
  const merged = mergedTagsOf(present, added);
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

/** `Tags` of an answer; absent where there are none. */
export function shownTags(tags: Tags): { readonly Tags?: readonly Wire<Tag>[] } {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length > 0 ? { Tags: list } : {};
}

/** iam:ResourceTag/k, IAM's own name for the tags of users and roles. */
export function tagContext(tags: Tags): ConditionContext {
  return Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [`iam:resourcetag/${name.toLowerCase()}`, value]),
  );
}

/** Tags in the request of an audit record. */
export function auditedTags(tags: readonly Wire<Tag>[] | undefined): {
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
} {
  return tags ? { tags: tags.map((tag) => ({ key: tag.Key, value: tag.Value })) } : {};
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

/**
 * What creating something with tags and a boundary needs: the permission to create it, and the one
 * to tag it where tags are given. Throws InvalidInput.
 */
export function creationUses(
  use: ResourceUse,
  tagAction: string,
  input: {
    readonly Tags?: readonly Wire<Tag>[] | undefined;
    readonly PermissionsBoundary?: string | undefined;
  },
): readonly ResourceUse[] {
  const tags = requestedTags(input.Tags ?? []);
  const context: ConditionContext = {
    ...tagConditions(Object.keys(tags), tags),
    ...(input.PermissionsBoundary !== undefined && {
      "iam:permissionsboundary": input.PermissionsBoundary,
    }),
  };
  const create = { ...use, context };
  return Object.keys(tags).length === 0 ? [create] : [create, { ...create, action: tagAction }];
}
