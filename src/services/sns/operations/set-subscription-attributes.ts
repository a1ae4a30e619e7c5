import type { SetSubscriptionAttributesInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { SnsDependencies } from "../ports.ts";
import { beginReplay } from "../replay.ts";
import { replaying } from "../replaying.ts";
import { changeSubscriptionAttribute } from "../subscription-attributes.ts";
import { saveSubscription } from "../subscription-changes.ts";
import { subscriptionOperation } from "../subscription-operation.ts";
import { attributePlace } from "./subscribe.ts";

/** AWS: SetSubscriptionAttributes. What it changes holds from the next publication on. */
export function setSubscriptionAttributesOperation(
  deps: SnsDependencies,
): Operation<Wire<SetSubscriptionAttributesInput>, object> {
  return subscriptionOperation<Wire<SetSubscriptionAttributesInput>, object>({
    name: "SetSubscriptionAttributes",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["SubscriptionArn", "AttributeName", "AttributeValue"],
    },
    async handle({ AttributeName, AttributeValue = "" }, call, { value }, topic) {
      const place = attributePlace(topic, value.protocol, value.endpoint);
      const changes = changeSubscriptionAttribute(value, AttributeName, AttributeValue, place);
      const { replayPolicy } = changes;
      const replay =
        AttributeName === "ReplayPolicy" && replayPolicy !== undefined
          ? { replay: beginReplay(call, topic, value.replay, replayPolicy) }
          : {};
      const after = { ...value, ...changes, ...replay };
      const commands = await saveSubscription(call, topic, value, after);
      return { output: {}, ...replaying(deps, call, after, commands) };
    },
  });
}
