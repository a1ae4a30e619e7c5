import type { Call } from "../../kernel/call.ts";
import type { RecordScope } from "../../kernel/records.ts";
import { type AttributeChanges, applyAttributes } from "./attributes.ts";
import type { SqsContext } from "./ports.ts";
import { attachQueuePolicy } from "./queue-policy.ts";
import type { QueueRecord } from "./records.ts";
import { checkRedriveAllowPolicy, checkRedrivePolicy } from "./redrive.ts";

/** The part of a queue's record that attributes set. */
export type QueueConfiguration = Pick<QueueRecord, "attributes" | "policy" | "scopeBefore">;

export interface ConfiguredQueue {
  readonly arn: string;
  readonly scope: RecordScope;
  readonly before: QueueConfiguration;
}

/**
 * The configuration of a queue after checked changes. Throws what is wrong with its policies, which
 * is known only from other records.
 */
export async function changedConfiguration(
  context: SqsContext,
  call: Call,
  { arn, scope, before }: ConfiguredQueue,
  changes: AttributeChanges,
): Promise<QueueConfiguration> {
  const { Policy, RedrivePolicy, RedriveAllowPolicy, DeduplicationScope: scopeNow } = changes;
  if (RedrivePolicy) await checkRedrivePolicy(call.records, scope, arn, RedrivePolicy);
  if (RedriveAllowPolicy) checkRedriveAllowPolicy(RedriveAllowPolicy);
  const attributes = applyAttributes(before.attributes, changes);
  const { DeduplicationScope: value } = before.attributes;
  const rescoped = scopeNow !== undefined && value !== undefined && scopeNow !== value;
  const scopeBefore = rescoped ? { value, changedMs: call.now } : before.scopeBefore;
  const configuration = { attributes, policy: before.policy, scopeBefore };
  if (Policy === undefined) return configuration;
  if (Policy === "") return { ...configuration, policy: undefined };
  return { ...configuration, policy: await attachQueuePolicy(context, call, Policy) };
}
