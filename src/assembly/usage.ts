import type { FinishedRequest } from "../gateway/front.ts";
import { createMetrics, type Metrics } from "../gateway/metrics.ts";
import type { Auditor } from "../gateway/walk.ts";
import type { Call } from "../kernel/call.ts";
import { type Caller, callerAccessKeyId } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import type { AccessKeyUsage, AccessKeyUse } from "../services/iam/dependencies.ts";
import { accessKeyUses, installation } from "../services/iam/store.ts";
import type { SnsMetrics } from "../services/sns/ports.ts";
import { createLastUses } from "./last-uses.ts";

/** What the server counts about its use. */
export interface Usage {
  readonly metrics: Metrics;
  readonly sns: SnsMetrics;
  /** Last uses since the start, here or in other threads, and what was kept before. */
  readonly accessKeys: AccessKeyUsage;
  /** As far as this thread knows. */
  lastUse(id: string): AccessKeyUse | undefined;
  /** Uses that were not taken yet. */
  takeAccessKeyUses(): ReadonlyMap<string, AccessKeyUse>;
  /** The auditor, with each use of a KMS key counted by operation and by whom it was made for. */
  watch(auditor: Auditor): Auditor;
  /** A request begins to be worked on. */
  started(): void;
  finished(request: FinishedRequest): void;
}

export interface UsageOptions {
  readonly clock: Clock;
  readonly version: string;
  /** What other threads know of the last use of an access key or role; absent: there are none. */
  readonly lastUseElsewhere?: ((id: string) => Promise<AccessKeyUse | undefined>) | undefined;
}

export function createUsage({ clock, version, lastUseElsewhere }: UsageOptions): Usage {
  const uses = createLastUses();
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
    accessKeys: {
      async lastUsed(view, id) {
        const latest = latestOf(uses.of(id), await lastUseElsewhere?.(id));
        return latest ?? accessKeyUses.get(view, installation, id);
      },
    },
    lastUse: (id) => uses.of(id),
    takeAccessKeyUses: () => uses.take(),
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
      const { caller, service, region } = request;
      const used = usedBy(caller);
      if (used !== "") uses.note(used, clock.now(), service, region);
    },
  };
}

export function latestOf(...uses: readonly (AccessKeyUse | undefined)[]): AccessKeyUse | undefined {
  return uses.reduce(
    (one, other) => ((one?.atMs ?? -1) >= (other?.atMs ?? -1) ? one : other),
    undefined,
  );
}

/** The access key or role behind a request. "": neither, as nobody asks about other sessions. */
function usedBy(caller: Caller): string {
  if (caller.kind === "role-session") return caller.roleId;
  const accessKeyId = callerAccessKeyId(caller);
  return accessKeyId.startsWith("ASIA") ? "" : accessKeyId;
}

function madeFor({ via, caller }: Call): string {
  return via ?? (caller.kind === "service" ? caller.service : "direct");
}
