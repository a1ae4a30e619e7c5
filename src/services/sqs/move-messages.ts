import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { StaleDecision } from "../../kernel/errors.ts";
import type { RecordScope, RecordView } from "../../kernel/records.ts";
import type { Soon } from "../../kernel/soon.ts";
import { deadLetterAttributes, lastSource } from "./exhausted.ts";
import { type MoveTaskRecord, type MoveTaskStatus, moveTasks } from "./move-task.ts";
import { isInPlace, reportUnopenable } from "./open-claimed.ts";
import type { SqsContext } from "./ports.ts";
import { findQueue, type Queue } from "./queue.ts";
import { rememberMs } from "./send.ts";
import type {
  ClaimedMessage,
  ClaimMessages,
  ClaimResult,
  ListQueueScopes,
  MoveMessages,
  UnclaimMessages,
} from "./store.ts";

/** One round of all move tasks; answers when the next one is due, undefined if none is left. */
export type MoveRound = () => Promise<EpochMs | undefined>;

/** Messages of one claim; a round of a task without a rate takes as many. */
const batchMax = 100;
/** Hidden from consumers of the dead-letter queue until moved or given back. */
const holdMs = 30_000;
const secondMs = 1000;
/** AWS: the longest run of a task. */
const runMsMax = 36 * 3_600_000;
const keptMax = 10_000;
const inFlightMax = 120_000;

/** What a process remembers of a task while it runs; after a restart it begins anew. */
interface Progress {
  nextMs: EpochMs;
  /** Until then messages may be hidden that somebody claimed for the task and did not move. */
  readonly claimedUntilMs: EpochMs;
  /** Messages that stay: nobody knows where they came from, or may not send there. */
  readonly kept: Map<string, UnclaimMessages["messages"][number]>;
}

interface Running {
  readonly scope: RecordScope;
  readonly id: string;
  readonly task: MoveTaskRecord;
}

type Outcome = { readonly status: MoveTaskStatus; readonly reason?: string } | "goes-on";

/**
 * Rounds of whoever takes up the tasks now. Of those that began earlier, messages may be hidden
 * that another process (or a round that failed) claimed: such a task does not end before they are
 * seen again.
 */
export function takeUpMoves(context: SqsContext): MoveRound {
  const sinceMs = context.clock.now();
  const progress = new Map<string, Progress>();
  const begin = ({ startedMs }: MoveTaskRecord): Progress => ({
    nextMs: context.clock.now(),
    claimedUntilMs: startedMs <= sinceMs ? sinceMs + holdMs : startedMs,
    kept: new Map(),
  });
  return async () => {
    const view = context.state.view();
    const running = await runningTasks(context, view);
    const alive = new Set(running.map(({ task }) => task.taskId));
    for (const taskId of progress.keys()) if (!alive.has(taskId)) progress.delete(taskId);
    let nextMs: EpochMs | undefined;
    for (const one of running) {
      const { taskId } = one.task;
      const state = progress.get(taskId) ?? begin(one.task);
      progress.set(taskId, state);
      if (state.nextMs <= context.clock.now()) {
        const outcome = await advance(context, view, one, state);
        if (outcome !== "goes-on" && (await finish(context, one, state, outcome))) {
          progress.delete(taskId);
          continue;
        }
      }
      nextMs = Math.min(nextMs ?? Number.POSITIVE_INFINITY, state.nextMs);
    }
    return nextMs;
  };
}

async function runningTasks(context: SqsContext, view: RecordView): Promise<readonly Running[]> {
  const query: ListQueueScopes = { kind: "sqs.scopes" };
  const running: Running[] = [];
  for (const scope of await context.store.query(query)) {
    for (const { id, value } of await moveTasks.list(view, scope)) {
      if (value.status === "RUNNING") running.push({ scope, id, task: value });
    }
  }
  return running;
}

/** Moves what one round of a task allows. */
async function advance(
  context: SqsContext,
  view: RecordView,
  { scope, task }: Running,
  state: Progress,
): Promise<Outcome> {
  const nowMs = context.clock.now();
  if (nowMs - task.startedMs > runMsMax) return { status: "FAILED", reason: "TimedOut" };
  const source = await findByArn(view, scope, task.sourceArn);
  const gone = { status: "FAILED", reason: "AWS.SimpleQueueService.NonExistentQueue" } as const;
  if (!source) return gone;
  const { destinationArn, perSecondMax } = task;
  const destination = destinationArn && (await findByArn(view, scope, destinationArn));
  if (destinationArn && !destination) return gone;
  state.nextMs = perSecondMax === undefined ? nowMs : nowMs + secondMs;
  let left = perSecondMax ?? batchMax;
  while (left > 0) {
    const claim = claimOf(context, source, Math.min(left, batchMax));
    const [result] = await context.state.commit(undefined, [claim]);
    if (result.messages.length === 0) {
      if (nowMs >= state.claimedUntilMs) return completed(state);
      state.nextMs = state.claimedUntilMs;
      return "goes-on";
    }
    left -= await moveClaimed(context, view, { scope, task, source, claim, result, state });
    if (state.kept.size > keptMax) return completed(state);
  }
  return "goes-on";
}

/** AWS?: the reason; it was seen in use. */
function completed({ kept }: Progress): Outcome {
  if (kept.size === 0) return { status: "COMPLETED" };
  return { status: "FAILED", reason: "CouldNotDetermineMessageSource" };
}

function claimOf(context: SqsContext, source: Queue, count: number): ClaimMessages {
  const nowMs = context.clock.now();
  return {
    kind: "sqs.claim",
    queue: source.identity,
    nowMs,
    count,
    visibleAgainMs: nowMs + holdMs,
    retainedSinceMs: nowMs - source.retentionMs,
    claimId: context.random.bytes(8).toString("hex"),
    inFlightMax,
    receiveCountMax: undefined,
    ...(source.fifo && { fifo: { attemptId: undefined, attemptMs: rememberMs } }),
  };
}

interface ClaimedBatch {
  readonly scope: RecordScope;
  readonly task: MoveTaskRecord;
  readonly source: Queue;
  readonly claim: ClaimMessages;
  readonly result: ClaimResult;
  readonly state: Progress;
}

/** Answers how many were moved; what has no place to go stays claimed and is given back later. */
async function moveClaimed(
  context: SqsContext,
  view: RecordView,
  { scope, task, source, claim, result, state }: ClaimedBatch,
): Promise<number> {
  const byTarget = new Map<Queue, MoveMessages["messages"][number][]>();
  for (const message of result.messages) {
    if (!isInPlace(context, source, message)) {
      reportUnopenable(context, source, message);
      continue;
    }
    const target = await targetOf(view, scope, task, message);
    if (target) {
      const moving = byTarget.get(target) ?? [];
      byTarget.set(target, [...moving, redriven(context, source, target, message, claim)]);
    } else {
      const { sequence, messageId, visibleAtMs } = message;
      state.kept.set(messageId, { sequence, visibleAtMs, claimId: claim.claimId });
    }
  }
  const moves = [...byTarget].map(([target, messages]): MoveMessages => {
    const { identity: to } = target;
    const { taskId } = task;
    return { kind: "sqs.move", from: source.identity, to, nowMs: claim.nowMs, messages, taskId };
  });
  const results = moves.length > 0 ? await context.state.commit(undefined, moves) : [];
  let moved = 0;
  for (const [index, { to }] of moves.entries()) {
    const count = results[index]?.moved ?? 0;
    context.waiters.wake(to.queueId, count);
    moved += count;
  }
  return moved;
}

/**
 * The task's destination, or the queue that the message came from, if the starter may send there.
 */
async function targetOf(
  view: RecordView,
  scope: RecordScope,
  task: MoveTaskRecord,
  message: ClaimedMessage,
): Promise<Queue | undefined> {
  if (task.destinationArn) return findByArn(view, scope, task.destinationArn);
  const { source } = lastSource(message.deadLetterSourceArn);
  return task.sourceArns.includes(source) ? findByArn(view, scope, source) : undefined;
}

/**
 * AWS: another message id, send time and retention; the envelope stays as it is.
 * AWS?: that ApproximateReceiveCount begins anew. If it went on, the source's RedrivePolicy would
 * send the message straight back.
 */
function redriven(
  context: SqsContext,
  source: Queue,
  target: Queue,
  message: ClaimedMessage,
  { claimId, nowMs }: ClaimMessages,
): MoveMessages["messages"][number] {
  const newMessageId = context.random.uuid();
  return {
    sequence: message.sequence,
    claimId,
    newMessageId,
    placeMac: context.places.make(target.identity.queueId, newMessageId, message.bytes),
    deadLetterSourceArn: lastSource(message.deadLetterSourceArn).before,
    sentMs: nowMs,
    ...(source.fifo && { systemAttributes: deadLetterAttributes(message) }),
  };
}

/** Tells the end of a task, unless somebody cancelled it meanwhile. False: to be tried again. */
async function finish(
  context: SqsContext,
  { scope, id }: Running,
  { kept }: Progress,
  { status, reason: failureReason }: Exclude<Outcome, string>,
): Promise<boolean> {
  const view = context.state.view();
  const task = await moveTasks.get(view, scope, id);
  const source = task && (await findByArn(view, scope, task.sourceArn));
  const unclaim: UnclaimMessages | undefined = source && {
    kind: "sqs.unclaim",
    queue: source.identity,
    messages: [...kept.values()],
  };
  const commands: Command[] = unclaim && kept.size > 0 ? [unclaim] : [];
  if (task?.status === "RUNNING") {
    commands.push(moveTasks.put(scope, id, { ...task, status, failureReason }));
  }
  try {
    if (commands.length > 0) await context.state.commit(view, commands);
    if (source && kept.size > 0) context.waiters.wake(source.identity.queueId, kept.size);
    return true;
  } catch (error) {
    if (error instanceof StaleDecision) return false;
    throw error;
  }
}

function findByArn(view: RecordView, scope: RecordScope, arn: string): Soon<Queue | undefined> {
  return findQueue(view, scope, arn.slice(arn.lastIndexOf(":") + 1));
}
