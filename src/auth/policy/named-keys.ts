import type { ConditionContext, ConditionValue } from "../../kernel/operation.ts";

/** Condition keys that end in a name which the requester or owner chose. In lower case. */
const prefixes = [
  "aws:requesttag/",
  "aws:resourcetag/",
  "aws:principaltag/",
  "kms:encryptioncontext:",
] as const;

export type NamedKeyPrefix = (typeof prefixes)[number];

/**
 * The condition keys of named values. Condition keys do not know letter case but names of tags and
 * of an encryption context do: names that differ only in case share one key, which then holds the
 * values of all of them.
 */
export function namedKeys(
  prefix: NamedKeyPrefix,
  values: Readonly<Record<string, string>>,
): ConditionContext {
  const keys: Record<string, ConditionValue> = {};
  for (const [name, value] of Object.entries(values)) {
    const key = prefix + name.toLowerCase();
    const earlier = keys[key];
    if (earlier === undefined) keys[key] = value;
    else keys[key] = typeof earlier === "object" ? [...earlier, value] : [String(earlier), value];
  }
  return keys;
}

/** Whether a key (in lower case) has one value by its meaning, so that several are a clash. */
export function isNamedKey(key: string): boolean {
  return prefixes.some((prefix) => key.startsWith(prefix));
}
