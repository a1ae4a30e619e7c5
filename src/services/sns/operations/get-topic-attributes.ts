import type { GetTopicAttributesInput, GetTopicAttributesResponse } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { effectiveDeliveryPolicy } from "../delivery-policy.ts";
import { timestamp } from "../envelope.ts";
import { topicOperation } from "../topic-operation.ts";
import { usageOf } from "../usage.ts";

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
      const usage = await usageOf(call.records, topic);
      const Attributes = {
        DisplayName: "",
        ...(topic.attributes.FifoTopic === "true" ? { ContentBasedDeduplication: "false" } : {}),
        ...topic.attributes,
        ...(topic.archiveSinceMs === undefined
          ? {}
          : { BeginningArchiveTime: timestamp(topic.archiveSinceMs) }),
        EffectiveDeliveryPolicy: effectiveDeliveryPolicy(topic.attributes.DeliveryPolicy),
        Owner: topic.accountId,
        Policy: topic.policy.text,
        SubscriptionsConfirmed: String(usage.confirmed),
        SubscriptionsDeleted: String(usage.deleted),
        SubscriptionsPending: String(usage.pending),
        TopicArn: topic.arn,
      };
      return { output: { Attributes } };
    },
  });
}
