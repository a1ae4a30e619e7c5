import type { StartMessageMoveTaskRequest, StartMessageMoveTaskResult } from "@aws-sdk/client-sqs";
import type { Call } from "../../../kernel/call.ts";
import type { Command } from "../../../kernel/command.ts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation, ResourceUse } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type MoveTaskRecord,
  makeTaskHandle,
  moveTaskId,
  moveTasks,
  queueByArn,
  sourcesOf,
  tasksOf,
} from "../move-task.ts";
import { moveTaskUses } from "../move-task-uses.ts";
import type { SqsContext } from "../ports.ts";
import type { Queue } from "../queue.ts";
import { invalidParameter, required } from "../refusals.ts";
import type { CountMessages, ForgetMoved } from "../store.ts";

type Input = Wire<StartMessageMoveTaskRequest>;

/** AWS: active tasks of an account (and region). */
const activeMax = 100;
/** AWS: what ListMessageMoveTasks shows at most. */
const keptPerSource = 10;

/** AWS: StartMessageMoveTask: messages go from a dead-letter queue back, or to another queue. */
export function startMessageMoveTask(
  context: SqsContext,
): Operation<Input, Wire<StartMessageMoveTaskResult>> {
  return {
    name: "StartMessageMoveTask",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["SourceArn", "DestinationArn", "MaxNumberOfMessagesPerSecond"],
      response: ["TaskHandle"],
    },
    async resources(input, call) {
      const { source, destinations } = await queuesOf(input, call);
      return usesOf(call, source, destinations);
    },
    async handle(input, call) {
      const { source, destination } = await queuesOf(input, call);
      const perSecondMax = checkRate(input.MaxNumberOfMessagesPerSecond);
      const sources = await sourcesOf(call, source);
      checkQueues(source, destination, sources);
      const before = await tasksOf(call, source);
      if (before.some(({ value }) => value.status === "RUNNING")) throw alreadyRunning();
      await checkActive(call, source);
      const task: MoveTaskRecord = {
        taskId: context.random.uuid(),
        sourceArn: source.arn,
        destinationArn: destination?.arn,
        sourceArns: destination ? [] : sources.map(({ arn }) => arn),
        perSecondMax,
        startedMs: call.now,
        toMove: await countToMove(context, source),
        status: "RUNNING",
      };
      const { scope, name } = source;
      const old = before.slice(keptPerSource - 1).map(({ id, value }) => ({ id, ...value }));
      const { accountId, region } = scope;
      const taskIds = old.map(({ taskId }) => taskId);
      const forget: ForgetMoved = { kind: "sqs.forget-moved", accountId, region, taskIds };
      const commands: Command[] = [
        moveTasks.put(scope, moveTaskId(name, task.taskId), task),
        ...old.map(({ id }) => moveTasks.remove(scope, id)),
        ...(old.length > 0 ? [forget] : []),
      ];
      return {
        output: { TaskHandle: makeTaskHandle(task) },
        commands,
        committed: () => context.moveTaskDue(call.now),
      };
    },
  };
}

async function queuesOf({ SourceArn, DestinationArn }: Input, call: Call) {
  const source = await queueByArn(call, required(SourceArn, "SourceArn"), "SourceArn");
  const destination = DestinationArn
    ? await queueByArn(call, DestinationArn, "DestinationArn")
    : undefined;
  const destinations = destination ? [destination] : await sourcesOf(call, source);
  return { source, destination, destinations };
}

/**
 * AWS: what the starter must be allowed to do. DIFFERS: no KMS permission is asked for: bodies
 * stay sealed as they are; whoever receives them needs the key.
 */
function usesOf(call: Call, source: Queue, destinations: readonly Queue[]): readonly ResourceUse[] {
  const actions = ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
  const [use] = moveTaskUses(call, source);
  return [
    ...actions.map((action) => ({ ...use, action: `sqs:${action}` })),
    ...destinations.map((queue) => ({ ...queue.uses[0], action: "sqs:SendMessage" })),
  ];
}

function checkRate(perSecond: number | undefined): number | undefined {
  if (perSecond === undefined || (perSecond >= 1 && perSecond <= 500)) return perSecond;
  throw invalidParameter(
    "Value for parameter MaxNumberOfMessagesPerSecond is invalid. " +
      "Reason: You must enter a number that's between 1 and 500.",
  );
}

function checkQueues(
  source: Queue,
  destination: Queue | undefined,
  sources: readonly Queue[],
): void {
  if (destination?.arn === source.arn) {
    throw invalidParameter("Source queue arn and destination queue arn cannot be the same.");
  }
  if (sources.length === 0) {
    throw invalidParameter("Source queue must be configured as a Dead Letter Queue.");
  }
  if (destination && Boolean(destination.fifo) !== Boolean(source.fifo)) {
    throw invalidParameter(
      "The source queue and destination queue must be of the same queue type.",
    );
  }
  const { accountId } = source.scope;
  if (destination && destination.scope.accountId !== accountId) {
    // AWS?: the text.
    throw invalidParameter("The source queue and destination queue must be of the same account.");
  }
}

function alreadyRunning(): Refusal {
  return invalidParameter(
    "There is already a task running. Only one active task is allowed for a source queue arn at a " +
      "given time.",
  );
}

async function checkActive(call: Call, { scope }: Queue): Promise<void> {
  const all = await moveTasks.list(call.records, scope);
  const active = all.filter(({ value }) => value.status === "RUNNING").length;
  // AWS?: the code and the text.
  if (active < activeMax) return;
  throw new Refusal("OverLimit", `There are ${active} active tasks; ${activeMax} are allowed.`);
}

async function countToMove(context: SqsContext, queue: Queue): Promise<number> {
  const nowMs = context.clock.now();
  const query: CountMessages = {
    kind: "sqs.counts",
    queue: queue.identity,
    nowMs,
    retainedSinceMs: nowMs - queue.retentionMs,
  };
  return (await context.store.query(query)).visible;
}
