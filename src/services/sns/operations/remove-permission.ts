import type { RemovePermissionInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { topicOperation } from "../topic-operation.ts";
import { removeStatement } from "../topic-policy.ts";
import { topicKind } from "../topics.ts";

/** AWS: RemovePermission. AWS?: a label that no statement has is fine. */
export function removePermissionOperation(): Operation<Wire<RemovePermissionInput>, object> {
  return topicOperation<Wire<RemovePermissionInput>, object>({
    name: "RemovePermission",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["TopicArn", "Label"] },
    topicArn: ({ TopicArn }) => TopicArn,
    handle({ Label }, _call, topic) {
      const policy = removeStatement(topic.arn, topic.accountId, topic.policy, Label);
      return { output: {}, commands: [topicKind.put(topic, topic.name, { ...topic, policy })] };
    },
  });
}
