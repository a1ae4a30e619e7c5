import type { AddPermissionRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { addStatement, checkPermission } from "../permissions.ts";
import { queueOperation } from "../queue-operation.ts";
import { checkQuotas, replacePolicyText } from "../queue-policy.ts";
import { queueRecords } from "../records.ts";

/** AWS: AddPermission: a statement for other accounts in the queue's policy. */
export function addPermission(): Operation<Wire<AddPermissionRequest>, object> {
  return queueOperation({
    name: "AddPermission",
    access: "permissions",
    ownerOnly: true,
    audit: {
      category: "management",
      readOnly: false,
      request: ["QueueUrl", "Label", "AWSAccountIds", "Actions"],
    },
    handle(input, call, { arn, scope, name, record }) {
      const permission = {
        label: input.Label,
        accountIds: input.AWSAccountIds,
        actions: input.Actions,
      };
      checkPermission(permission);
      const text = addStatement(record.policy?.text, arn, permission);
      checkQuotas(text);
      const policy = replacePolicyText(record.policy, text);
      const changed = { ...record, policy, modifiedMs: call.now };
      return { output: {}, commands: [queueRecords.put(scope, name, changed)] };
    },
  });
}
