import type { SetQueueAttributesRequest } from "@aws-sdk/client-sqs";
import type { Call } from "../../../kernel/call.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { PutRecord } from "../../../kernel/records.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkAttributes, type QueueAttributes } from "../attributes.ts";
import { changedConfiguration } from "../configuration.ts";
import type { SqsContext } from "../ports.ts";
import type { Queue } from "../queue.ts";
import { queueOperation } from "../queue-operation.ts";
import { queueRecords } from "../records.ts";
import { missingParameter } from "../refusals.ts";
import type { DelayAnew } from "../store.ts";

/** AWS: SetQueueAttributes. DIFFERS: in effect at once, not after up to 60 seconds. */
export function setQueueAttributes(
  context: SqsContext,
): Operation<Wire<SetQueueAttributesRequest>, object> {
  return queueOperation({
    name: "SetQueueAttributes",
    access: "write",
    ownerOnly: true,
    audit: { category: "management", readOnly: false, request: ["QueueUrl", "Attributes"] },
    async handle({ Attributes }, call, queue) {
      const { arn, scope, name, record } = queue;
      const given = { ...Attributes };
      if (Object.keys(given).length === 0) throw missingParameter("Attribute.Name");
      const changes = checkAttributes(given, queue.fifo !== undefined);
      const configured = { arn, scope, before: record };
      const changed = await changedConfiguration(context, call, configured, changes);
      const put = queueRecords.put(scope, name, { ...record, ...changed, modifiedMs: call.now });
      return { output: {}, ...delayAnew(context, call, queue, changed.attributes, put) };
    },
  });
}

/** AWS: the longest delay. */
const delayMsMax = 900_000;

/** AWS: on a FIFO queue another delay also counts for messages that are there already. */
function delayAnew(
  context: SqsContext,
  call: Call,
  queue: Queue,
  attributes: QueueAttributes,
  put: PutRecord,
): Pick<Outcome<object>, "commands" | "committed"> {
  const delayMs = Number(attributes.DelaySeconds ?? "0") * 1000;
  if (!queue.fifo || delayMs === queue.delayMs) return { commands: [put] };
  const { identity } = queue;
  const sentAfterMs = call.now - delayMsMax;
  const anew: DelayAnew = { kind: "sqs.delay-anew", queue: identity, sentAfterMs, delayMs };
  return { commands: [put, anew], committed: () => context.waiters.wakeAll(identity.queueId) };
}
