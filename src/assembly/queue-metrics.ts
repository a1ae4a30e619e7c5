import type { Metrics, MetricsSnapshot } from "../gateway/metrics.ts";
import type { QueueMeasure, Sqs, UsedQueue } from "../services/sqs/service.ts";

/** What one thread counted. */
export interface ThreadCounts {
  readonly metrics: MetricsSnapshot;
  readonly queues: readonly UsedQueue[];
}

/** The metrics of all threads with those of each queue, in Prometheus form, after them. */
export async function metricsText(
  metrics: Metrics,
  { measure }: Pick<Sqs, "measure">,
  others: readonly ThreadCounts[],
): Promise<string> {
  const text = await metrics.render(others.map((each) => each.metrics));
  const queues = await measure(others.flatMap((each) => each.queues));
  return `${text}\n${queueMetricsText(queues)}`;
}

/** `sealpost_sqs_number_of_messages_sent_total{account="…",region="…",queue="…"} 1` and so on. */
export function queueMetricsText(measures: readonly QueueMeasure[]): string {
  const families = new Map<string, string[]>();
  const add = (name: string, metric: string, type: string, queue: QueueMeasure, value: number) => {
    let lines = families.get(name);
    if (!lines) {
      const unit = isAge(metric) ? ", seconds" : "";
      lines = [`# HELP ${name} AWS/SQS ${metric}${unit}`, `# TYPE ${name} ${type}`];
      families.set(name, lines);
    }
    const { accountId, region, name: queueName } = queue;
    lines.push(`${name}{account="${accountId}",region="${region}",queue="${queueName}"} ${value}`);
  };
  for (const queue of measures) {
    for (const [metric, value] of Object.entries(queue.counters)) {
      const unit = metric === "SentMessageSize" ? "_bytes" : "";
      add(`${nameOf(metric)}${unit}_total`, metric, "counter", queue, value);
    }
    for (const [metric, value] of Object.entries(queue.gauges)) {
      const unit = isAge(metric) ? "_seconds" : "";
      add(`${nameOf(metric)}${unit}`, metric, "gauge", queue, value);
    }
  }
  return [...families.values()].map((lines) => `${lines.join("\n")}\n`).join("\n");
}

function isAge(metric: string): boolean {
  return metric.startsWith("ApproximateAgeOf");
}

function nameOf(metric: string): string {
  const snake = metric.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
  return `sealpost_sqs_${snake}`;
}
