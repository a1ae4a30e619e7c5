import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { SqsJobs } from "../services/sqs/service.ts";
import { repeat } from "./repeat.ts";

const periodMs = 60_000;

/**
 * Removes what deleted and purged queues left, now and then. The answer stops it and waits for
 * the round under way.
 */
export function startSweepQueues(deps: {
  readonly clock: Clock;
  readonly jobs: SqsJobs;
  readonly log: Log;
}): () => Promise<void> {
  return repeat({ ...deps, name: "sweep-queues", periodMs, run: deps.jobs.sweepQueues });
}
