import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { SqsJobs } from "../services/sqs/service.ts";
import { repeat } from "./repeat.ts";

const periodMs = 300_000;

/**
 * Removes messages past their queue's retention, now and then. The answer stops it and waits for
 * the round under way.
 */
export function startExpireMessages(deps: {
  readonly clock: Clock;
  readonly jobs: SqsJobs;
  readonly log: Log;
}): () => Promise<void> {
  return repeat({ ...deps, name: "expire-messages", periodMs, run: deps.jobs.expireMessages });
}
