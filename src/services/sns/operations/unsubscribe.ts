import type { UnsubscribeInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  findSubscription,
  parseSubscriptionArn,
  removeSubscription,
  subscriptionUses,
} from "../subscriptions.ts";
import { topicKind } from "../topics.ts";

/**
 * AWS: Unsubscribe, by the owner of the subscription or of the topic; a missing one is fine. The
 * link in a delivery to a queue needs a signature: such subscriptions were confirmed with one.
 */
export function unsubscribeOperation(): Operation<Wire<UnsubscribeInput>, object> {
  return {
    name: "Unsubscribe",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["SubscriptionArn"] },
    async resources({ SubscriptionArn }, call) {
      const reference = parseSubscriptionArn(call, SubscriptionArn);
      return subscriptionUses(call, reference, await findSubscription(call, reference));
    },
    async handle({ SubscriptionArn }, call) {
      const reference = parseSubscriptionArn(call, SubscriptionArn);
      const { topic, entry } = await findSubscription(call, reference);
      if (!topic || !entry) return { output: {} };
      const subscriptionsDeleted = topic.subscriptionsDeleted + 1;
      return {
        output: {},
        commands: [
          ...removeSubscription(topic, entry),
          topicKind.put(topic, topic.name, { ...topic, subscriptionsDeleted }),
        ],
      };
    },
  };
}
