import type { SetQueueAttributesRequest } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkAttributes } from "../attributes.ts";
import { changedConfiguration } from "../configuration.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { queueRecords } from "../records.ts";
import { missingParameter } from "../refusals.ts";

/** AWS: SetQueueAttributes. DIFFERS: in effect at once, not after up to 60 seconds. */
export function setQueueAttributes(
  context: SqsContext,
): Operation<Wire<SetQueueAttributesRequest>, object> {
  return queueOperation({
    name: "SetQueueAttributes",
    access: "write",
    ownerOnly: true,
    audit: { category: "management", readOnly: false, request: ["QueueUrl", "Attributes"] },
    async handle({ Attributes }, call, { arn, scope, name, record }) {
      const given = { ...Attributes };
      if (Object.keys(given).length === 0) throw missingParameter("Attribute.Name");
      const changes = checkAttributes(given);
      const configured = { arn, scope, before: record };
      const changed = await changedConfiguration(context, call, configured, changes);
      const put = queueRecords.put(scope, name, { ...record, ...changed, modifiedMs: call.now });
      return { output: {}, commands: [put] };
    },
  });
}
