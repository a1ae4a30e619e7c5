import type { CreateQueueRequest, CreateQueueResult } from "@aws-sdk/client-sqs";
import type { Call } from "../../../kernel/call.ts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation, ResourceUse } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkAttributes, differingAttribute, presetAttributes } from "../attributes.ts";
import { changedConfiguration } from "../configuration.ts";
import { fifoPreset } from "../fifo-attributes.ts";
import type { SqsContext } from "../ports.ts";
import { queueArn, queueType } from "../queue.ts";
import { formatQueueUrl } from "../queue-url.ts";
import { deletedQueueRecords, type QueueRecord, queueRecords, restMs } from "../records.ts";
import { invalidParameter } from "../refusals.ts";
import { addTags, tagContext } from "../tags.ts";

type Input = Wire<CreateQueueRequest>;

/** AWS: CreateQueue; the same name again with the same attributes answers the same URL. */
export function createQueue(context: SqsContext): Operation<Input, Wire<CreateQueueResult>> {
  return {
    name: "CreateQueue",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["QueueName", "Attributes", "tags"],
      response: ["QueueUrl"],
    },
    resources: (input, call) => usesOf(input, call),
    async handle(input, call) {
      const { QueueName: name } = input;
      const given = { ...input.Attributes };
      const fifo = given.FifoQueue?.toLowerCase() === "true";
      checkName(name, fifo);
      const output = { QueueUrl: formatQueueUrl(call.transport.baseUrl, call.accountId, name) };
      const changes = checkAttributes(given, fifo);
      const existing = await queueRecords.get(call.records, call, name);
      if (existing) {
        const differing = differingAttribute(existing.attributes, existing.policy?.text, changes);
        if (differing === undefined) return { output };
        throw new Refusal(
          "QueueNameExists",
          "A queue already exists with the same name and a different value for attribute " +
            differing,
        );
      }
      await checkRest(call, name);
      const tags = addTags(name, {}, input.tags ?? {});
      const arn = queueArn(call, name);
      const before = {
        attributes: fifo ? { ...presetAttributes, ...fifoPreset } : presetAttributes,
      };
      const queueId = context.random.bytes(16).toString("hex");
      const record: QueueRecord = {
        queueId,
        ...(fifo && { historyId: queueId }),
        createdMs: call.now,
        modifiedMs: call.now,
        ...(await changedConfiguration(context, call, { arn, scope: call, before }, changes)),
        // A queue that is new had no other scope before.
        scopeBefore: undefined,
        tags,
      };
      return { output, commands: [queueRecords.put(call, name, record)] };
    },
  };
}

/** AWS: tags at creation need sqs:TagQueue, too. */
function usesOf(input: Input, call: Call): readonly ResourceUse[] {
  const use: ResourceUse = {
    arn: queueArn(call, input.QueueName),
    accountId: call.accountId,
    context: tagContext(input.tags),
    type: queueType,
  };
  const tagged = input.tags !== undefined && Object.keys(input.tags).length > 0;
  return tagged ? [use, { ...use, action: "sqs:TagQueue" }] : [use];
}

/** Throws InvalidParameterValue. */
function checkName(name: string, fifo: boolean): void {
  if (name === "") throw invalidParameter("Queue name cannot be empty");
  if (fifo) {
    if (/^[A-Za-z0-9_-]{1,75}\.fifo$/.test(name)) return;
    throw invalidParameter(
      "The name of a FIFO queue can only include alphanumeric characters, hyphens, or " +
        "underscores, must end with .fifo suffix and be 1 to 80 in length",
    );
  }
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) {
    throw invalidParameter(
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    );
  }
}

async function checkRest(call: Call, name: string): Promise<void> {
  const deleted = await deletedQueueRecords.get(call.records, call, name);
  if (!deleted || call.now - deleted.deletedMs >= restMs) return;
  throw new Refusal(
    "QueueDeletedRecently",
    "You must wait 60 seconds after deleting a queue before you can create another with the " +
      "same name.",
  );
}
