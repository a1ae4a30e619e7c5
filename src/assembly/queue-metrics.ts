import type { Metrics } from "../gateway/metrics.ts";
import type { QueueMeasure } from "../services/sqs/service.ts";

/** The server's metrics with those of each queue, in Prometheus form, after them. */
export function withQueueMetrics(
  metrics: Metrics,
  measure: () => Promise<readonly QueueMeasure[]>,
): Metrics {
  return {
    ...metrics,
    render: async () => `${await metrics.render()}\n${queueMetricsText(await measure())}`,
  };
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
