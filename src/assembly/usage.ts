import type { FinishedRequest } from "../gateway/front.ts";
import { createMetrics, type Metrics } from "../gateway/metrics.ts";
import type { Auditor } from "../gateway/pipeline.ts";
import type { Call } from "../kernel/call.ts";
import type { Clock } from "../kernel/clock.ts";
import type { AccessKeyUsage, AccessKeyUse } from "../services/iam/dependencies.ts";
import type { SnsMetrics } from "../services/sns/ports.ts";

/** What the server counts about its use. */
export interface Usage {
  readonly metrics: Metrics;
  readonly sns: SnsMetrics;
  /** Last uses since the start; earlier ones are in the audit. */
  readonly accessKeys: AccessKeyUsage;
  /** The auditor, with each use of a KMS key counted by operation and by whom it was made for. */
  watch(auditor: Auditor): Auditor;
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
      count: (topicArn, metric, by) => metrics.topic(topicArn, metric, by),
    },
    accessKeys: { lastUsed: async (_view, accessKeyId) => uses.get(accessKeyId) },
    watch: (auditor) => ({
      record(finished) {
        if (finished.table.name === "kms" && "outcome" in finished.result) {
          metrics.kmsUse(finished.operation.name, madeFor(finished.call));
        }
        return auditor.record(finished);
      },
    }),
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

function madeFor({ via, caller }: Call): string {
  return via ?? (caller.kind === "service" ? caller.service : "direct");
}
