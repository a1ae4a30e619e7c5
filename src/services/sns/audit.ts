import type { Json } from "../../kernel/json.ts";

/** AWS: what CloudTrail shows in place of a message and what describes it. */
export const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

/** A message as the audit may show it: which of its parts were given, and none of them. */
export function auditedMessage(message: object): { readonly [member: string]: Json } {
  const members: { [member: string]: Json } = {};
  for (const [name, key] of hiddenMembers) {
    if (Reflect.get(message, name) !== undefined) members[key] = hidden;
  }
  return members;
}

const hiddenMembers = [
  ["Message", "message"],
  ["Subject", "subject"],
  ["MessageStructure", "messageStructure"],
  ["MessageAttributes", "messageAttributes"],
] as const;
