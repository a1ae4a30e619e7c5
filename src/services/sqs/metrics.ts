import type { Queue } from "./queue.ts";

/** What is counted as it happens. AWS: names of CloudWatch, namespace AWS/SQS. */
export const countedMetrics = [
  "NumberOfMessagesSent",
  "NumberOfMessagesReceived",
  "NumberOfMessagesDeleted",
  "NumberOfEmptyReceives",
  "NumberOfDeduplicatedSentMessages",
  "SentMessageSize",
] as const;

export type CountedMetric = (typeof countedMetrics)[number];
export type Counts = Record<CountedMetric, number>;

/** Counts per queue since the start of the process, for the queues that were used in it. */
export interface QueueCounters {
  count(queue: Queue, metric: CountedMetric, by: number): void;
  /** Used queues; each one's key finds its record again. */
  used(): Iterable<UsedQueue>;
  /** The queue is gone. */
  forget(arn: string): void;
}

export interface UsedQueue {
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
  readonly counts: Readonly<Counts>;
}

/** AWS: metrics of active queues only; here also no more than a scrape can carry. */
const queuesMax = 10_000;

export function createQueueCounters(): QueueCounters {
  const used = new Map<string, UsedQueue & { readonly counts: Counts }>();
  return {
    count(queue, metric, by) {
      let entry = used.get(queue.arn);
      if (!entry) {
        if (used.size >= queuesMax) return;
        const { arn, name, scope } = queue;
        entry = { arn, name, ...scope, counts: emptyCounts() };
        used.set(arn, entry);
      }
      entry.counts[metric] += by;
    },
    used: () => used.values(),
    forget: (arn) => void used.delete(arn),
  };
}

export function addCounts(one: Readonly<Counts>, other: Readonly<Counts>): Counts {
  const sum = emptyCounts();
  for (const metric of countedMetrics) sum[metric] = one[metric] + other[metric];
  return sum;
}

function emptyCounts(): Counts {
  return {
    NumberOfMessagesSent: 0,
    NumberOfMessagesReceived: 0,
    NumberOfMessagesDeleted: 0,
    NumberOfEmptyReceives: 0,
    NumberOfDeduplicatedSentMessages: 0,
    SentMessageSize: 0,
  };
}
