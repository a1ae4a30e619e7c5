import type { UnsubscribeInput } from "@aws-sdk/client-sns";
import type { Call } from "../../../kernel/call.ts";
import { callerAccountId } from "../../../kernel/caller.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { RecordEntry } from "../../../kernel/records.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { tellOfCancellation } from "../confirming.ts";
import { invalidParameter } from "../errors.ts";
import type { SnsDependencies } from "../ports.ts";
import { removeSubscription } from "../subscription-changes.ts";
import {
  findSubscription,
  parseSubscriptionArn,
  type SubscriptionRecord,
  subscriptionUses,
} from "../subscriptions.ts";
import type { TopicRecord } from "../topics.ts";

/**
 * AWS: Unsubscribe, by the owner of the subscription or of the topic; a missing one is fine. The
 * link in a delivery does it for anybody, where the subscription was not confirmed by a signed call
 * or with AuthenticateOnUnsubscribe.
 */
export function unsubscribeOperation(
  deps: SnsDependencies,
): Operation<Wire<UnsubscribeInput>, object> {
  return {
    name: "Unsubscribe",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["SubscriptionArn"] },
    async resources({ SubscriptionArn }, call) {
      const reference = parseSubscriptionArn(call, SubscriptionArn);
      const found = await findSubscription(call, reference);
      const byLink = call.caller.kind === "anonymous" && found.entry !== undefined;
      if (byLink && !found.entry?.value.authenticateOnUnsubscribe) return [];
      return subscriptionUses(call, reference, found);
    },
    async handle({ SubscriptionArn }, call) {
      const reference = parseSubscriptionArn(call, SubscriptionArn);
      const { topic, entry } = await findSubscription(call, reference);
      if (!topic || !entry) return { output: {} };
      if (entry.value.pending) {
        // AWS?: the text. Nobody but its endpoint ends a subscription that waits.
        throw invalidParameter("SubscriptionArn Reason: the subscription is pending confirmation");
      }
      return unsubscribe(deps, call, topic, entry);
    },
  };
}

async function unsubscribe(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  entry: RecordEntry<SubscriptionRecord>,
): Promise<Outcome<object>> {
  const removed = await removeSubscription(call, topic, entry);
  const { protocol, owner } = entry.value;
  const tells = protocol === "http" || protocol === "https";
  // AWS: endpoints hear of it where it was not the owner's doing.
  if (!tells || callerAccountId(call.caller) === owner) return { output: {}, commands: removed };
  const told = await tellOfCancellation(deps, call, topic, entry.value);
  return { output: {}, commands: [...removed, ...told.commands], committed: told.committed };
}
