import type {
  GetSubscriptionAttributesInput,
  GetSubscriptionAttributesResponse,
} from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { subscriptionOperation } from "../subscription-operation.ts";

/** AWS: GetSubscriptionAttributes. */
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
    handle(_input, { value }) {
      const Attributes = {
        // AWS: queues of the subscriber's own account are confirmed by the signed call itself.
        ConfirmationWasAuthenticated: "true",
        Endpoint: value.endpoint,
        Owner: value.owner,
        PendingConfirmation: "false",
        Protocol: value.protocol,
        RawMessageDelivery: String(value.rawMessageDelivery),
        SubscriptionArn: value.arn,
        SubscriptionPrincipal: value.principalArn,
        TopicArn: value.topicArn,
      };
      return { output: { Attributes } };
    },
  });
}
