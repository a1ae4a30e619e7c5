import type { Call } from "../../kernel/call.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import type { RecordScope } from "../../kernel/records.ts";
import { type AttributeChanges, applyAttributes, type QueueAttributes } from "./attributes.ts";
import type { SqsContext } from "./ports.ts";
import { attachQueuePolicy } from "./queue-policy.ts";
import { checkRedriveAllowPolicy, checkRedrivePolicy } from "./redrive.ts";

/** The part of a queue's record that attributes set. */
export interface QueueConfiguration {
  readonly attributes: QueueAttributes;
  readonly policy?: AttachedPolicy;
}

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
  const { Policy, RedrivePolicy, RedriveAllowPolicy } = changes;
  if (RedrivePolicy) await checkRedrivePolicy(call.records, scope, arn, RedrivePolicy);
  if (RedriveAllowPolicy) checkRedriveAllowPolicy(RedriveAllowPolicy);
  const attributes = applyAttributes(before.attributes, changes);
  if (Policy === undefined) return { attributes, policy: before.policy };
  if (Policy === "") return { attributes, policy: undefined };
  return { attributes, policy: await attachQueuePolicy(context, call, Policy) };
}
