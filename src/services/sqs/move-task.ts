import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import { type RecordEntry, type RecordScope, recordKind } from "../../kernel/records.ts";
import { findQueue, type Queue, queueOf } from "./queue.ts";
import { queueRecords } from "./records.ts";
import { allowsSource } from "./redrive.ts";
import { invalidParameter } from "./refusals.ts";
import type { CountMoved } from "./store.ts";

export type MoveTaskStatus = "RUNNING" | "COMPLETED" | "CANCELLED" | "FAILED";

/**
 * A move task; the record's id is `<source queue>/<task id>`. What it has moved is counted by the
 * store, in the act of each move.
 */
export interface MoveTaskRecord {
  readonly taskId: string;
  readonly sourceArn: string;
  /** undefined: each message goes back to the queue that it came from. */
  readonly destinationArn?: string;
  /** Queues that the starter may send to, where there is no one destination. */
  readonly sourceArns: readonly string[];
  readonly perSecondMax?: number;
  readonly startedMs: number;
  readonly toMove: number;
  readonly status: MoveTaskStatus;
  readonly failureReason?: string;
}

export const moveTasks = recordKind<MoveTaskRecord>("sqs.move-task");

export function moveTaskId(sourceName: string, taskId: string): string {
  return `${sourceName}/${taskId}`;
}

/** Tasks of one source queue, newest first. */
export async function tasksOf(
  call: Call,
  { scope, name }: Queue,
): Promise<readonly RecordEntry<MoveTaskRecord>[]> {
  const entries = await moveTasks.list(call.records, scope, { idPrefix: `${name}/` });
  return entries.toSorted((a, b) => b.value.startedMs - a.value.startedMs);
}

export function countMoved({ accountId, region }: RecordScope, taskId: string): CountMoved {
  return { kind: "sqs.moved", accountId, region, taskId };
}

/** AWS: what clients cancel by. */
export function makeTaskHandle({ taskId, sourceArn }: MoveTaskRecord): string {
  return Buffer.from(JSON.stringify({ taskId, sourceArn })).toString("base64");
}

/** Throws InvalidParameterValue. */
export function readTaskHandle(handle: string): { taskId: string; sourceArn: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(handle, "base64").toString());
    const { taskId, sourceArn } = value as Readonly<Record<string, unknown>>;
    if (typeof taskId === "string" && typeof sourceArn === "string") return { taskId, sourceArn };
  } catch {
    // What is no JSON is no handle either.
  }
  throw invalidParameter("Value for parameter TaskHandle is invalid.");
}

/** The queue that an ARN names. Throws InvalidParameterValue or ResourceNotFoundException. */
export async function queueByArn(
  call: Call,
  arn: string,
  parameter: "SourceArn" | "DestinationArn",
): Promise<Queue> {
  const { service, accountId, region, resource } = parseArn(arn) ?? {};
  if (service !== "sqs" || !accountId || !region || !resource) {
    throw invalidParameter(
      `You must use this format to specify the ${parameter}: ` +
        "arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
    );
  }
  // AWS?: queues of other regions; here they are not found.
  const here = region === call.region;
  const queue = here ? await findQueue(call.records, { accountId, region }, resource) : undefined;
  if (queue?.arn === arn) return queue;
  throw new Refusal(
    "ResourceNotFoundException",
    `The resource that you specified for the ${parameter} parameter doesn't exist.`,
  );
}

/** Queues that name this one as their dead-letter queue, and are allowed to. */
export async function sourcesOf(call: Call, queue: Queue): Promise<readonly Queue[]> {
  const allowPolicy = queue.record.attributes.RedriveAllowPolicy;
  const entries = await queueRecords.list(call.records, queue.scope);
  return entries
    .map(({ id, value }) => queueOf(value, queue.scope, id))
    .filter(
      ({ redrive, arn }) => redrive?.targetArn === queue.arn && allowsSource(allowPolicy, arn),
    );
}
