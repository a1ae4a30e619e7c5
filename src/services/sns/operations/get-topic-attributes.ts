import type { GetTopicAttributesInput, GetTopicAttributesResponse } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { effectiveDeliveryPolicy } from "../delivery-policy.ts";
import { subscriptionsOf } from "../subscriptions.ts";
import { topicOperation } from "../topic-operation.ts";

/** AWS: GetTopicAttributes: what every topic has, and what was set. */
export function getTopicAttributesOperation(): Operation<
  Wire<GetTopicAttributesInput>,
  Wire<GetTopicAttributesResponse>
> {
  return topicOperation<Wire<GetTopicAttributesInput>, Wire<GetTopicAttributesResponse>>({
    name: "GetTopicAttributes",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["TopicArn"] },
    topicArn: ({ TopicArn }) => TopicArn,
    async handle(_input, call, topic) {
      const subscriptions = await subscriptionsOf(call.records, topic);
      const Attributes = {
        DisplayName: "",
        ...topic.attributes,
        EffectiveDeliveryPolicy: effectiveDeliveryPolicy(topic.attributes.DeliveryPolicy),
        Owner: topic.accountId,
        Policy: topic.policy.text,
        SubscriptionsConfirmed: String(subscriptions.length),
        SubscriptionsDeleted: String(topic.subscriptionsDeleted),
        SubscriptionsPending: "0",
        TopicArn: topic.arn,
      };
      return { output: { Attributes } };
    },
  });
}
