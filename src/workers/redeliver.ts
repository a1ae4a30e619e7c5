import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Command } from "../kernel/command.ts";
import type { Log } from "../kernel/log.ts";
import {
  expireGivenUp,
  type RedeliveryDependencies,
  redeliverDue,
} from "../services/sns/redelivery.ts";

export interface RedeliverOptions {
  readonly deps: Omit<RedeliveryDependencies, "retryAt">;
  /** Service clock. */
  readonly clock: Clock;
  readonly log: Log;
  /** An unconditional commit, outside any request. */
  readonly commit: (commands: readonly Command[]) => Promise<unknown>;
  /** How long a given-up notification stays visible, from its publication. */
  readonly undeliveredRetentionMs: number;
}

export interface Redeliver {
  /** Something is due at this service time: be there. */
  wake(atMs: EpochMs): void;
  /** Takes up no new work; answers when the work under way has ended. */
  stop(): Promise<void>;
}

/** Without anything due: a look at what was given up, and at what another process left. */
const idleMs = 3_600_000;
/** Pause after a round that failed as a whole (the store is away). */
const failedRoundMs = 5_000;

/**
 * Redelivers notifications on the service clock: at start, when the next one is due, when it is
 * woken, and now and then. Rounds never overlap.
 */
export function startRedeliver(options: RedeliverOptions): Redeliver {
  const { clock } = options;
  let stopped = false;
  let armedMs = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  let running: Promise<void> | undefined;
  let expiredMs = Number.NEGATIVE_INFINITY;

  const arm = (atMs: EpochMs): void => {
    if (stopped || running || atMs >= armedMs) return;
    cancel();
    armedMs = atMs;
    cancel = clock.at(atMs, run);
  };
  let wokenMs = Number.POSITIVE_INFINITY;
  const wake = (atMs: EpochMs): void => {
    // A round under way may have read the store already: its successor will look again.
    if (running) wokenMs = Math.min(wokenMs, atMs);
    else arm(atMs);
  };
  const run = (): Promise<void> => {
    if (stopped) return Promise.resolve();
    armedMs = Number.POSITIVE_INFINITY;
    running ??= round().finally(() => {
      running = undefined;
      const nextMs = Math.min(wokenMs, roundNextMs);
      wokenMs = Number.POSITIVE_INFINITY;
      arm(nextMs);
    });
    return running;
  };
  let roundNextMs = 0;
  const round = async (): Promise<void> => {
    const nowMs = clock.now();
    try {
      if (nowMs - expiredMs >= idleMs) {
        await expire(options, nowMs);
        expiredMs = nowMs;
      }
      const dueMs = await redeliverDue({ ...options.deps, retryAt: wake }, nowMs);
      roundNextMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, nowMs + idleMs);
    } catch (error) {
      options.log.error("redelivery failed", { error });
      roundNextMs = nowMs + failedRoundMs;
    }
  };

  arm(clock.now());
  return {
    wake,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** In bites, so that no commit holds the others up for long. */
async function expire(options: RedeliverOptions, nowMs: EpochMs): Promise<void> {
  const command = expireGivenUp(nowMs - options.undeliveredRetentionMs);
  for (;;) {
    const results: unknown = await options.commit([command]);
    const [first]: unknown[] = Array.isArray(results) ? results : [];
    const removed = typeof first === "object" && first ? Reflect.get(first, "removed") : 0;
    if (removed !== command.rowsMax) return;
  }
}
