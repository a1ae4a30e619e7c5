import type { FinishedRequest } from "../gateway/front.ts";
import { createMetrics, type Metrics } from "../gateway/metrics.ts";
import type { Clock } from "../kernel/clock.ts";
import type { AccessKeyUsage, AccessKeyUse } from "../services/iam/dependencies.ts";
import type { SnsMetrics } from "../services/sns/ports.ts";

/** What the server counts about its use. */
export interface Usage {
  readonly metrics: Metrics;
  readonly sns: SnsMetrics;
  /** Last uses since the start; earlier ones are in the audit. */
  readonly accessKeys: AccessKeyUsage;
  /** A request begins to be worked on. */
  started(): void;
  finished(request: FinishedRequest): void;
}

const accessKeysMax = 10_000;

export function createUsage(clock: Clock, version: string): Usage {
  const uses = new Map<string, AccessKeyUse>();
  let inFlight = 0;
  const metrics = createMetrics({
    version,
    requestsInFlight: () => inFlight,
    residentBytes: () => process.memoryUsage.rss(),
  });
  return {
    metrics,
    sns: {
      count(metric, by) {
        if (metric !== "NumberOfNotificationsFailed") return;
        for (let i = 0; i < by; i++) metrics.deliveryFailed("sqs", "failed");
      },
    },
    accessKeys: { lastUsed: async (_view, accessKeyId) => uses.get(accessKeyId) },
    started() {
      inFlight += 1;
    },
    finished(request) {
      inFlight -= 1;
      metrics.request(request);
      const { accessKeyId, service, region } = request;
      if (accessKeyId === undefined) return;
      if (uses.size >= accessKeysMax && !uses.has(accessKeyId)) uses.clear();
      uses.set(accessKeyId, { atMs: clock.now(), service, region });
    },
  };
}
