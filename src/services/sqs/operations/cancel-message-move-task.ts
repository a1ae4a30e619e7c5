import type {
  CancelMessageMoveTaskRequest,
  CancelMessageMoveTaskResult,
} from "@aws-sdk/client-sqs";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { countMoved, moveTaskId, moveTasks, queueByArn, readTaskHandle } from "../move-task.ts";
import { moveTaskUses } from "../move-task-uses.ts";
import type { SqsContext } from "../ports.ts";
import { required } from "../refusals.ts";

type Input = Wire<CancelMessageMoveTaskRequest>;

/** AWS: CancelMessageMoveTask. Messages that are on their way still land. */
export function cancelMessageMoveTask(
  context: SqsContext,
): Operation<Input, Wire<CancelMessageMoveTaskResult>> {
  return {
    name: "CancelMessageMoveTask",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["TaskHandle"] },
    async resources(input, call) {
      const { sourceArn } = readTaskHandle(required(input.TaskHandle, "TaskHandle"));
      return moveTaskUses(call, await queueByArn(call, sourceArn, "SourceArn"));
    },
    async handle(input, call) {
      const { taskId, sourceArn } = readTaskHandle(required(input.TaskHandle, "TaskHandle"));
      const { scope, name } = await queueByArn(call, sourceArn, "SourceArn");
      const id = moveTaskId(name, taskId);
      const task = await moveTasks.get(call.records, scope, id);
      if (task?.status !== "RUNNING") {
        throw new Refusal("ResourceNotFoundException", "Task does not exist.");
      }
      const moved = await context.store.query(countMoved(scope, taskId));
      return {
        output: { ApproximateNumberOfMessagesMoved: moved },
        commands: [moveTasks.put(scope, id, { ...task, status: "CANCELLED" })],
      };
    },
  };
}
