import type { RemovePermissionRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { removeStatement } from "../permissions.ts";
import { queueOperation } from "../queue-operation.ts";
import { replacePolicyText } from "../queue-policy.ts";
import { queueRecords } from "../records.ts";

/** AWS: RemovePermission; with its last statement the policy goes. */
export function removePermission(): Operation<Wire<RemovePermissionRequest>, object> {
  return queueOperation({
    name: "RemovePermission",
    access: "permissions",
    ownerOnly: true,
    audit: { category: "management", readOnly: false, request: ["QueueUrl", "Label"] },
    handle({ Label }, call, { scope, name, record }) {
      const text = removeStatement(record.policy?.text, Label);
      const policy = text === undefined ? undefined : replacePolicyText(record.policy, text);
      const changed = { ...record, policy, modifiedMs: call.now };
      return { output: {}, commands: [queueRecords.put(scope, name, changed)] };
    },
  });
}
