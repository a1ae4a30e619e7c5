import type {
  GetSubscriptionAttributesInput,
  GetSubscriptionAttributesResponse,
} from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { effectiveSubscriptionPolicy } from "../delivery-policy.ts";
import { subscriptionOperation } from "../subscription-operation.ts";
import type { SubscriptionRecord } from "../subscriptions.ts";
import type { TopicRecord } from "../topics.ts";

/** AWS: GetSubscriptionAttributes: what every subscription has, and what was set. */
export function getSubscriptionAttributesOperation(): Operation<
  Wire<GetSubscriptionAttributesInput>,
  Wire<GetSubscriptionAttributesResponse>
> {
  return subscriptionOperation<
    Wire<GetSubscriptionAttributesInput>,
    Wire<GetSubscriptionAttributesResponse>
  >({
    name: "GetSubscriptionAttributes",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["SubscriptionArn"] },
    handle(_input, _call, { value }, topic) {
      const Attributes: Record<string, string> = {
        ConfirmationWasAuthenticated: String(value.confirmedBySignature === true),
        Endpoint: value.endpoint,
        Owner: value.owner,
        PendingConfirmation: String(value.pending === true),
        Protocol: value.protocol,
        RawMessageDelivery: String(value.rawMessageDelivery),
        SubscriptionArn: value.arn,
        SubscriptionPrincipal: value.principalArn,
        TopicArn: value.topicArn,
        ...optionalAttributes(value, topic),
      };
      return { output: { Attributes } };
    },
  });
}

function optionalAttributes(value: SubscriptionRecord, topic: TopicRecord): Record<string, string> {
  const { filterPolicy, filterPolicyScope, redrivePolicy, deliveryPolicy } = value;
  const shown: Record<string, string> = {};
  if (filterPolicy !== undefined) {
    shown.FilterPolicy = filterPolicy;
    // AWS: shown with a policy only.
    shown.FilterPolicyScope = filterPolicyScope ?? "MessageAttributes";
  }
  if (redrivePolicy !== undefined) shown.RedrivePolicy = redrivePolicy;
  if (value.subscriptionRoleArn !== undefined)
    shown.SubscriptionRoleArn = value.subscriptionRoleArn;
  if (value.replayPolicy !== undefined) shown.ReplayPolicy = value.replayPolicy;
  if (value.replay !== undefined) shown.ReplayStatus = value.replay.status;
  if (deliveryPolicy !== undefined) shown.DeliveryPolicy = deliveryPolicy;
  if (value.protocol === "http" || value.protocol === "https") {
    const { DeliveryPolicy } = topic.attributes;
    shown.EffectiveDeliveryPolicy = effectiveSubscriptionPolicy(DeliveryPolicy, deliveryPolicy);
  }
  return shown;
}
