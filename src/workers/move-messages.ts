import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { SqsJobs } from "../services/sqs/service.ts";

/** Pause after a round that failed as a whole (the store is away). */
const failedRoundMs = 5_000;

/**
 * Carries out move tasks, also those that an earlier process began. Rounds never overlap. The
 * answer takes up no new round and waits for the one under way.
 */
export function startMoveMessages(options: {
  readonly clock: Clock;
  readonly jobs: Pick<SqsJobs, "moveMessages" | "onMoveTaskDue">;
  readonly log: Log;
}): () => Promise<void> {
  const { clock, jobs, log } = options;
  let stopped = false;
  let armedMs = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  let running: Promise<void> = Promise.resolve();

  function wake(atMs: EpochMs): void {
    if (stopped || atMs >= armedMs) return;
    cancel();
    armedMs = atMs;
    cancel = clock.at(atMs, () => {
      armedMs = Number.POSITIVE_INFINITY;
      running = running.then(round);
      return running;
    });
  }

  async function round(): Promise<void> {
    if (stopped) return;
    try {
      const nextMs = await jobs.moveMessages();
      if (nextMs !== undefined) wake(nextMs);
    } catch (error) {
      log.warn("a round of move tasks failed; it is tried again", { error: String(error) });
      wake(clock.now() + failedRoundMs);
    }
  }

  jobs.onMoveTaskDue(wake);
  wake(clock.now());
  return () => {
    stopped = true;
    cancel();
    return running;
  };
}
