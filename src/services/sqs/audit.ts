import type { Json } from "../../kernel/json.ts";

/** AWS: what CloudTrail shows in place of bodies and attributes. */
export const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

/**
 * Keeps members of an input by an allow-list, first letter in lower case; members of `hiding` are
 * shown as hidden. Absent ones stay away.
 */
export function auditMembers(
  input: object,
  keeping: readonly string[],
  hiding: readonly string[] = [],
): { [name: string]: Json } {
  const members: { [name: string]: Json } = {};
  for (const name in input) {
    const value: unknown = Reflect.get(input, name);
    if (value === undefined) continue;
    if (hiding.includes(name)) members[lowerFirst(name)] = hidden;
    // Decoded inputs hold plain data; only members named here are kept.
    else if (keeping.includes(name)) members[lowerFirst(name)] = value as Json;
  }
  return members;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** The same for a batch: `Entries` one by one. */
export function auditBatch(
  input: { readonly QueueUrl?: string; readonly Entries?: readonly object[] },
  keeping: readonly string[],
  hiding: readonly string[] = [],
): Json {
  const entries = (input.Entries ?? []).map((entry) => auditMembers(entry, keeping, hiding));
  return { ...auditMembers(input, ["QueueUrl"]), entries };
}

export const keptOfMessage = ["Id", "DelaySeconds", "MessageDeduplicationId", "MessageGroupId"];
export const hiddenOfMessage = ["MessageBody", "MessageAttributes", "MessageSystemAttributes"];
