import type {
  ListMessageMoveTasksRequest,
  ListMessageMoveTasksResult,
  ListMessageMoveTasksResultEntry,
} from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import type { RecordScope } from "../../../kernel/records.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  countMoved,
  type MoveTaskRecord,
  makeTaskHandle,
  queueByArn,
  tasksOf,
} from "../move-task.ts";
import { moveTaskUses } from "../move-task-uses.ts";
import type { SqsContext } from "../ports.ts";
import { invalidParameter, required } from "../refusals.ts";

type Input = Wire<ListMessageMoveTasksRequest>;

/** AWS: ListMessageMoveTasks, newest first, one unless more are asked for. */
export function listMessageMoveTasks(
  context: SqsContext,
): Operation<Input, Wire<ListMessageMoveTasksResult>> {
  return {
    name: "ListMessageMoveTasks",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["SourceArn", "MaxResults"] },
    async resources(input, call) {
      const arn = required(input.SourceArn, "SourceArn");
      return moveTaskUses(call, await queueByArn(call, arn, "SourceArn"));
    },
    async handle({ SourceArn, MaxResults: count = 1 }, call) {
      if (count < 1 || count > 10) {
        // AWS?: the text.
        throw invalidParameter(
          "Value for parameter MaxResults is invalid. " +
            "Reason: You must enter a number that's between 1 and 10.",
        );
      }
      const source = await queueByArn(call, required(SourceArn, "SourceArn"), "SourceArn");
      const tasks = (await tasksOf(call, source)).slice(0, count);
      const shown = tasks.map(({ value }) => show(context, source.scope, value));
      return { output: tasks.length > 0 ? { Results: await Promise.all(shown) } : {} };
    },
  };
}

/** AWS: the handle is shown while the task can be cancelled. */
async function show(
  context: SqsContext,
  scope: RecordScope,
  task: MoveTaskRecord,
): Promise<Wire<ListMessageMoveTasksResultEntry>> {
  return {
    ...(task.status === "RUNNING" && { TaskHandle: makeTaskHandle(task) }),
    Status: task.status,
    SourceArn: task.sourceArn,
    DestinationArn: task.destinationArn,
    MaxNumberOfMessagesPerSecond: task.perSecondMax,
    ApproximateNumberOfMessagesMoved: await context.store.query(countMoved(scope, task.taskId)),
    ApproximateNumberOfMessagesToMove: task.toMove,
    FailureReason: task.failureReason,
    StartedTimestamp: task.startedMs,
  };
}
