import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { SqsJobs } from "../services/sqs/service.ts";

/** Pause after a round that failed as a whole (the store is away). */
const failedRoundMs = 5_000;

export interface MoveMessages {
  /** A task has something to do at this service time. */
  wake(atMs: EpochMs): void;
  /** Takes up no new round; answers when the one under way has ended. */
  stop(): Promise<void>;
}

/** Carries out move tasks, also those that an earlier process began. Rounds never overlap. */
export function startMoveMessages(options: {
  readonly clock: Clock;
  readonly jobs: Pick<SqsJobs, "takeUpMoves">;
  readonly log: Log;
}): MoveMessages {
  const { clock, jobs, log } = options;
  let move = jobs.takeUpMoves();
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
      const nextMs = await move();
      if (nextMs !== undefined) wake(nextMs);
    } catch (error) {
      log.warn("a round of move tasks failed; it is tried again", { error: String(error) });
      move = jobs.takeUpMoves();
      wake(clock.now() + failedRoundMs);
    }
  }

  wake(clock.now());
  return {
    wake,
    stop() {
      stopped = true;
      cancel();
      return running;
    },
  };
}
