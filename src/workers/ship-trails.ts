import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";

export interface ShipTrailsOptions {
  /** Service clock. */
  readonly clock: Clock;
  readonly log: Log;
  /** Delivers what is due; answers when to come again. */
  readonly deliver: () => Promise<EpochMs | undefined>;
}

export interface ShipTrails {
  /** Something is due at this service time. */
  wake(atMs: EpochMs): void;
  /** Runs while nothing is delivered. */
  alone<T>(act: () => Promise<T>): Promise<T>;
  /** Takes up no new work; answers when the work under way has ended. */
  stop(): Promise<void>;
}

/** Pause after a round that failed as a whole (the store is away). */
const failedRoundMs = 60_000;

/**
 * Delivers log files and digests of trails on the service clock: at start, when the next one is due
 * and when it is woken. Rounds never overlap.
 */
export function startShipTrails({ clock, log, deliver }: ShipTrailsOptions): ShipTrails {
  let stopped = false;
  let armedMs = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  let running: Promise<unknown> = Promise.resolve();

  const wake = (atMs: EpochMs): void => {
    if (stopped || atMs >= armedMs) return;
    cancel();
    armedMs = atMs;
    cancel = clock.at(atMs, () => {
      armedMs = Number.POSITIVE_INFINITY;
      return alone(round);
    });
  };
  const alone = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = running.then(act);
    running = turn.catch(() => {});
    return turn;
  };
  const round = async (): Promise<void> => {
    if (stopped) return;
    try {
      const nextMs = await deliver();
      if (nextMs !== undefined) wake(nextMs);
    } catch (error) {
      log.error("the delivery of trails failed; it is tried again", { error });
      wake(clock.now() + failedRoundMs);
    }
  };
  wake(clock.now());
  return {
    wake,
    alone,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
