import { Refusal } from "../../kernel/errors.ts";
import { type AnyOperation, operationTable, type ServiceTable } from "../../kernel/operation.ts";
import { shareWaiters } from "./arrivals.ts";
import { createClaimSizes } from "./claim-sizes.ts";
import { createJobs, type SqsJobs } from "./jobs.ts";
import { measureQueues, type QueueMeasure } from "./measure.ts";
import { createQueueCounters, type UsedQueue } from "./metrics.ts";
import { addPermission } from "./operations/add-permission.ts";
import { cancelMessageMoveTask } from "./operations/cancel-message-move-task.ts";
import { changeMessageVisibility } from "./operations/change-message-visibility.ts";
import { changeMessageVisibilityBatch } from "./operations/change-message-visibility-batch.ts";
import { createQueue } from "./operations/create-queue.ts";
import { deleteMessage } from "./operations/delete-message.ts";
import { deleteMessageBatch } from "./operations/delete-message-batch.ts";
import { deleteQueue } from "./operations/delete-queue.ts";
import { getQueueAttributes } from "./operations/get-queue-attributes.ts";
import { getQueueUrl } from "./operations/get-queue-url.ts";
import { listDeadLetterSourceQueues } from "./operations/list-dead-letter-source-queues.ts";
import { listMessageMoveTasks } from "./operations/list-message-move-tasks.ts";
import { listQueueTags } from "./operations/list-queue-tags.ts";
import { listQueues } from "./operations/list-queues.ts";
import { purgeQueue } from "./operations/purge-queue.ts";
import { receiveMessage } from "./operations/receive-message.ts";
import { removePermission } from "./operations/remove-permission.ts";
import { sendMessage } from "./operations/send-message.ts";
import { sendMessageBatch } from "./operations/send-message-batch.ts";
import { setQueueAttributes } from "./operations/set-queue-attributes.ts";
import { startMessageMoveTask } from "./operations/start-message-move-task.ts";
import { tagQueue } from "./operations/tag-queue.ts";
import { untagQueue } from "./operations/untag-queue.ts";
import type { SqsContext, SqsDependencies } from "./ports.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

export type { SqsJobs } from "./jobs.ts";
export type { QueueMeasure } from "./measure.ts";
export type { UsedQueue } from "./metrics.ts";
export type {
  DeduplicationDigests,
  PlaceMacs,
  SqsDependencies,
  SqsOptions,
  Tokens,
} from "./ports.ts";

export interface Sqs {
  readonly table: ServiceTable;
  readonly jobs: SqsJobs;
  /** Woken by sends of this thread; whoever learns of others' sends wakes them here. */
  readonly waiters: Waiters;
  /** Another thread or process deleted the queue. */
  forget(arn: string): void;
  /** Counts of this thread. */
  used(): readonly UsedQueue[];
  /** Metrics per queue, with CloudWatch's names; with the counts of other threads. */
  measure(others?: readonly UsedQueue[]): Promise<readonly QueueMeasure[]>;
}

/** SQS with standard and FIFO queues. */
export function createSqs(deps: SqsDependencies): Sqs {
  const own = createWaiters(deps);
  const { arrivals, systemClock } = deps;
  const waiters = arrivals ? shareWaiters(own, arrivals, systemClock) : own;
  const context: SqsContext = {
    ...deps,
    waiters,
    claimSizes: createClaimSizes(),
    metrics: createQueueCounters(),
  };
  const table: ServiceTable = {
    name: "sqs",
    eventSource: "sqs.amazonaws.com",
    operations: operationTable(operationsOf(context)),
    accessDenied: {
      code: "AccessDenied",
      status: 403,
      // AWS: SQS prints the action in lower case.
      printAction: (action) => action.toLowerCase(),
    },
    invalidSecurity: (message) => new Refusal("InvalidSecurity", message),
  };
  return {
    table,
    jobs: createJobs(context),
    waiters: own,
    forget: (arn) => context.metrics.forget(arn),
    used: () => [...context.metrics.used()],
    measure: (others) => measureQueues(context, others),
  };
}

function operationsOf(context: SqsContext): readonly AnyOperation[] {
  return [
    addPermission(),
    changeMessageVisibility(context),
    changeMessageVisibilityBatch(context),
    createQueue(context),
    deleteMessage(context),
    deleteMessageBatch(context),
    deleteQueue(context),
    getQueueAttributes(context),
    getQueueUrl(),
    listDeadLetterSourceQueues(),
    listQueueTags(),
    listQueues(),
    purgeQueue(context),
    receiveMessage(context),
    removePermission(),
    sendMessage(context),
    sendMessageBatch(context),
    setQueueAttributes(context),
    tagQueue(),
    untagQueue(),
    cancelMessageMoveTask(context),
    listMessageMoveTasks(context),
    startMessageMoveTask(context),
  ];
}
