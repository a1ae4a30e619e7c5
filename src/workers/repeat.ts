import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";

export interface RepeatOptions {
  readonly name: string;
  /** Service clock. */
  readonly clock: Clock;
  readonly periodMs: number;
  readonly log: Log;
  run(): Promise<void>;
}

/**
 * Runs a job each period, from one period after now; rounds never overlap and a failed one is only
 * logged, for the next will do its work. The answer takes up no new round and waits for the last.
 */
export function repeat(options: RepeatOptions): () => Promise<void> {
  const { name, clock, periodMs, log } = options;
  let stopped = false;
  let round: Promise<void> = Promise.resolve();
  let cancel = arm();

  function arm(): () => void {
    return clock.at(clock.now() + periodMs, () => {
      round = runOnce();
      return round;
    });
  }

  async function runOnce(): Promise<void> {
    try {
      await options.run();
    } catch (error) {
      log.warn("a background job failed; it will be tried again", { name, error: String(error) });
    }
    if (!stopped) cancel = arm();
  }

  return () => {
    stopped = true;
    cancel();
    return round;
  };
}
