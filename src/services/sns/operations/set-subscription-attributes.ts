import type { SetSubscriptionAttributesInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { readSubscriptionAttribute } from "../subscription-attributes.ts";
import { subscriptionOperation } from "../subscription-operation.ts";
import { subscriptionKind } from "../subscriptions.ts";

/** AWS: SetSubscriptionAttributes. */
export function setSubscriptionAttributesOperation(): Operation<
  Wire<SetSubscriptionAttributesInput>,
  object
> {
  return subscriptionOperation<Wire<SetSubscriptionAttributesInput>, object>({
    name: "SetSubscriptionAttributes",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["SubscriptionArn", "AttributeName", "AttributeValue"],
    },
    handle({ AttributeName, AttributeValue = "" }, { id, value }, topic) {
      const changed = { ...value, ...readSubscriptionAttribute(AttributeName, AttributeValue) };
      return { output: {}, commands: [subscriptionKind.put(topic, id, changed)] };
    },
  });
}
