import { addCounts, type CountedMetric, countedMetrics, type UsedQueue } from "./metrics.ts";
import type { SqsContext } from "./ports.ts";
import { findQueue, type Queue } from "./queue.ts";
import type { MeasureQueue } from "./store.ts";

/** AWS: names of CloudWatch, namespace AWS/SQS; gauges are as of now. */
export type GaugeMetric =
  | "ApproximateAgeOfOldestMessage"
  | "ApproximateNumberOfMessagesVisible"
  | "ApproximateNumberOfMessagesNotVisible"
  | "ApproximateNumberOfMessagesDelayed"
  | "ApproximateNumberOfGroupsWithInflightMessages"
  | "ApproximateNumberOfNoisyGroups"
  | "ApproximateAgeOfOldestMessageInQuietGroups"
  | "ApproximateNumberOfMessagesVisibleInQuietGroups"
  | "ApproximateNumberOfMessagesNotVisibleInQuietGroups"
  | "ApproximateNumberOfMessagesDelayedInQuietGroups";

export interface QueueMeasure extends Pick<UsedQueue, "accountId" | "region" | "name"> {
  readonly counters: Readonly<Record<CountedMetric, number>>;
  /** Those that a queue of its type has. Ages are in seconds. */
  readonly gauges: Readonly<Partial<Record<GaugeMetric, number>>>;
}

/**
 * AWS: a message that was received as often and is still there moves behind the others as far as
 * the age is concerned; not so in a FIFO queue, which keeps its order.
 */
const poisonReceives = 3;

/** Questions to the store at a time, so that requests come in between. */
const atATime = 50;

/** Measures of the queues that were used since the start of the process, by whichever thread. */
export async function measureQueues(
  context: SqsContext,
  others: readonly UsedQueue[] = [],
): Promise<readonly QueueMeasure[]> {
  const used = sumOf([...context.metrics.used(), ...others]);
  const measures: QueueMeasure[] = [];
  for (let at = 0; at < used.length; at += atATime) {
    const some = used.slice(at, at + atATime).map((queue) => measure(context, queue));
    measures.push(...(await Promise.all(some)).filter((one) => one !== undefined));
  }
  return measures;
}

function sumOf(all: readonly UsedQueue[]): readonly UsedQueue[] {
  const sums = new Map<string, UsedQueue>();
  for (const one of all) {
    const before = sums.get(one.arn);
    sums.set(one.arn, before ? { ...one, counts: addCounts(before.counts, one.counts) } : one);
  }
  return [...sums.values()];
}

async function measure(context: SqsContext, used: UsedQueue): Promise<QueueMeasure | undefined> {
  const { accountId, region, name, counts } = used;
  const queue = await findQueue(context.state.view(), { accountId, region }, name);
  if (!queue) return undefined;
  const counters = Object.fromEntries(
    countedMetrics.map((metric) => [metric, counts[metric]]),
  ) as Record<CountedMetric, number>;
  return { accountId, region, name, counters, gauges: await gaugesOf(context, queue) };
}

async function gaugesOf(context: SqsContext, queue: Queue): Promise<QueueMeasure["gauges"]> {
  const nowMs = context.clock.now();
  const query: MeasureQueue = {
    kind: "sqs.measure",
    queue: queue.identity,
    nowMs,
    retainedSinceMs: nowMs - queue.retentionMs,
    agedReceives: queue.fifo ? Number.MAX_SAFE_INTEGER : poisonReceives,
  };
  const it = await context.store.query(query);
  const ageSeconds = (sentMs = nowMs) => Math.floor(Math.max(0, nowMs - sentMs) / 1000);
  return {
    ApproximateAgeOfOldestMessage: ageSeconds(it.oldestSentMs),
    ApproximateNumberOfMessagesVisible: it.visible,
    ApproximateNumberOfMessagesNotVisible: it.inFlight,
    ApproximateNumberOfMessagesDelayed: it.delayed,
    ...(queue.fifo
      ? { ApproximateNumberOfGroupsWithInflightMessages: it.groupsInFlight }
      : {
          ApproximateNumberOfNoisyGroups: it.noisyGroups,
          ApproximateAgeOfOldestMessageInQuietGroups: ageSeconds(it.quiet.oldestSentMs),
          ApproximateNumberOfMessagesVisibleInQuietGroups: it.quiet.visible,
          ApproximateNumberOfMessagesNotVisibleInQuietGroups: it.quiet.inFlight,
          ApproximateNumberOfMessagesDelayedInQuietGroups: it.quiet.delayed,
        }),
  };
}
