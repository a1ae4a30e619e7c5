import type { Json } from "../../kernel/json.ts";

/** AWS: what CloudTrail shows in place of a message and what describes it. */
export const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

/** A message as the audit may show it: which of its parts were given, and none of them. */
export function auditedMessage(message: object): { readonly [member: string]: Json } {
  const given = hiddenMembers.filter((name) => Reflect.get(message, name) !== undefined);
  return Object.fromEntries(
    given.map((name) => [name.charAt(0).toLowerCase() + name.slice(1), hidden]),
  );
}

const hiddenMembers = ["Message", "Subject", "MessageStructure", "MessageAttributes"];
