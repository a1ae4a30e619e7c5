import type { AdminRoute } from "./admin.ts";

/** What one request came to. `code` is `ok` or the error code. */
export interface RequestMeasure {
  readonly service: string;
  readonly operation: string;
  readonly code: string;
  readonly seconds: number;
}

/**
 * Counters of the server. Noting is plain arithmetic on the hot path; the Prometheus library is
 * loaded, and text made, when somebody asks.
 */
export interface Metrics {
  request(measure: RequestMeasure): void;
  /** A use of a KMS key: the operation, and the service on whose behalf (`direct` for none). */
  kmsUse(operation: string, via: string): void;
  /** A metric of a topic, by its name in CloudWatch. */
  topic(topicArn: string, metric: string, by: number): void;
  /** What was counted, as plain data. */
  snapshot(): MetricsSnapshot;
  /** Prometheus text, with what the other threads of the process counted. */
  render(others?: readonly MetricsSnapshot[]): Promise<string>;
}

type Counted<T> = readonly (readonly [labels: readonly string[], entry: T])[];

/** What one thread counted. */
export interface MetricsSnapshot {
  readonly requestsInFlight: number;
  readonly requests: Counted<Count>;
  readonly durations: Counted<Duration>;
  readonly kmsUses: Counted<Count>;
  readonly topics: Counted<Count>;
}

export interface MetricsOptions {
  readonly version: string;
  /** Requests in work now. */
  readonly requestsInFlight: () => number;
  readonly residentBytes: () => number;
}

/** Upper bounds in seconds; long polls take up to 20. */
const bucketBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Label values come from models and code tables; this bounds memory even if that were to fail. */
const seriesMax = 5_000;

interface Duration {
  readonly buckets: number[];
  sum: number;
  count: number;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { requests, durations, kmsUses, topics } = createCounts();
  const snapshot = (): MetricsSnapshot => ({
    requestsInFlight: options.requestsInFlight(),
    requests: [...requests.all()],
    durations: [...durations.all()],
    kmsUses: [...kmsUses.all()],
    topics: [...topics.all()],
  });
  return {
    request({ service, operation, code, seconds }) {
      requests.of(service, operation, code).value++;
      observe(durations.of(service, operation), seconds);
    },
    kmsUse: (operation, via) => void kmsUses.of(operation, via).value++,
    topic(topicArn, metric, by) {
      topics.of(topicArn, metric).value += by;
    },
    snapshot,
    render: (others = []) => renderFamilies(familiesOf(options, [snapshot(), ...others])),
  };
}

function familiesOf(
  options: MetricsOptions,
  snapshots: readonly MetricsSnapshot[],
): readonly Family[] {
  const sums = createCounts();
  const byThread = series<Count>(() => ({ value: 0 }));
  let inFlight = 0;
  for (const [index, each] of snapshots.entries()) {
    inFlight += each.requestsInFlight;
    const answered = each.requests.reduce((sum, [, { value }]) => sum + value, 0);
    byThread.of(String(index + 1)).value = answered;
    for (const name of ["requests", "kmsUses", "topics"] as const) {
      for (const [labels, { value }] of each[name]) sums[name].of(...labels).value += value;
    }
    for (const [labels, duration] of each.durations) add(sums.durations.of(...labels), duration);
  }
  return [
    gauge("sealpost_info", "Version of the server", { version: options.version }, 1),
    gauge("sealpost_requests_in_flight", "Requests in work", {}, inFlight),
    gauge("process_resident_memory_bytes", "Resident memory", {}, options.residentBytes()),
    counter("sealpost_requests_total", "Requests answered", sums.requests, [
      "service",
      "operation",
      "code",
    ]),
    histogram("sealpost_request_duration_seconds", "Time to answer", sums.durations),
    counter("sealpost_kms_uses_total", "Uses of KMS keys", sums.kmsUses, ["operation", "via"]),
    counter("sealpost_sns_metric_total", "Metrics of topics, named as in CloudWatch", sums.topics, [
      "topic",
      "metric",
    ]),
    ...(snapshots.length > 1
      ? [counter("sealpost_thread_requests_total", "Requests by thread", byThread, ["thread"])]
      : []),
  ];
}

interface Count {
  value: number;
}

function createCounts() {
  const count = (): Count => ({ value: 0 });
  const duration = (): Duration => ({ buckets: bucketBounds.map(() => 0), sum: 0, count: 0 });
  return {
    requests: series(count),
    durations: series(duration),
    kmsUses: series(count),
    topics: series(count),
  };
}

function add(sum: Duration, part: Readonly<Duration>): void {
  sum.sum += part.sum;
  sum.count += part.count;
  part.buckets.forEach((value, index) => {
    sum.buckets[index] = (sum.buckets[index] ?? 0) + value;
  });
}

/** `GET /_sealpost/metrics`; unsigned where `open`. */
export function metricsRoute(render: () => Promise<string>, open: boolean): AdminRoute {
  return {
    method: "GET",
    path: "/_sealpost/metrics",
    action: open ? null : "sealpost:GetMetrics",
    handle: async () => ({
      text: await render(),
      contentType: "text/plain; version=0.0.4; charset=utf-8",
    }),
  };
}

function observe(duration: Duration, seconds: number): void {
  duration.sum += seconds;
  duration.count++;
  const index = bucketBounds.findIndex((bound) => seconds <= bound);
  if (index >= 0) duration.buckets[index] = (duration.buckets[index] ?? 0) + 1;
}

interface Series<T> {
  of(...labels: string[]): T;
  all(): Iterable<readonly [labels: readonly string[], entry: T]>;
}

/** Entries by their labels, one after the other: no key is put together for each request. */
interface Branch<T> {
  readonly next: Map<string, Branch<T>>;
  entry?: T;
}

function series<T>(make: () => T): Series<T> {
  const entries: (readonly [labels: readonly string[], entry: T])[] = [];
  const root: Branch<T> = { next: new Map() };
  return {
    of(...labels) {
      let branch = root;
      for (const label of labels) {
        let next = branch.next.get(label);
        if (next === undefined) {
          if (entries.length >= seriesMax) return make();
          next = { next: new Map() };
          branch.next.set(label, next);
        }
        branch = next;
      }
      if (branch.entry !== undefined) return branch.entry;
      branch.entry = make();
      entries.push([labels, branch.entry]);
      return branch.entry;
    },
    all: () => entries,
  };
}

/** A metric as prom-client's registry reads it. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly values: readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

function gauge(name: string, help: string, labels: Record<string, string>, value: number): Family {
  return { name, help, type: "gauge", values: [{ labels, value }] };
}

function counter(
  name: string,
  help: string,
  of: Series<{ value: number }>,
  labelNames: readonly string[],
): Family {
  const values = [...of.all()].map(([labels, entry]) => ({
    labels: Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ""])),
    value: entry.value,
  }));
  return { name, help, type: "counter", values };
}

function histogram(name: string, help: string, of: Series<Duration>): Family {
  const values: Sample[] = [];
  for (const [labels, entry] of of.all()) {
    const common = { service: labels[0] ?? "", operation: labels[1] ?? "" };
    let below = 0;
    for (const [index, bound] of bucketBounds.entries()) {
      below += entry.buckets[index] ?? 0;
      const bucketLabels = { ...common, le: bound };
      values.push({ labels: bucketLabels, value: below, metricName: `${name}_bucket` });
    }
    const every = { ...common, le: "+Inf" };
    values.push({ labels: every, value: entry.count, metricName: `${name}_bucket` });
    values.push({ labels: common, value: entry.sum, metricName: `${name}_sum` });
    values.push({ labels: common, value: entry.count, metricName: `${name}_count` });
  }
  return { name, help, type: "histogram", values };
}

async function renderFamilies(families: readonly Family[]): Promise<string> {
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  for (const family of families) {
    const metric = { name: family.name, get: async () => ({ ...family, aggregator: "sum" }) };
    // The registry asks a metric for its name and `get` only; its own classes keep state instead.
    registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0]);
  }
  return registry.metrics();
}
