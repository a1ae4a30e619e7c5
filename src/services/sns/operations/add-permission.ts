import type { AddPermissionInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { topicOperation } from "../topic-operation.ts";
import { addStatement } from "../topic-policy.ts";
import { topicKind } from "../topics.ts";

/** AWS: AddPermission: one more statement in the topic's policy. */
export function addPermissionOperation(): Operation<Wire<AddPermissionInput>, object> {
  return topicOperation<Wire<AddPermissionInput>, object>({
    name: "AddPermission",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: ["TopicArn", "Label", "AWSAccountId", "ActionName"],
    },
    topicArn: ({ TopicArn }) => TopicArn,
    handle({ Label, AWSAccountId, ActionName }, _call, topic) {
      const policy = addStatement(topic.arn, topic.policy, {
        label: Label,
        accountIds: AWSAccountId,
        actions: ActionName,
      });
      return { output: {}, commands: [topicKind.put(topic, topic.name, { ...topic, policy })] };
    },
  });
}
