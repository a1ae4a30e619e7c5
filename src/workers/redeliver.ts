import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Command } from "../kernel/command.ts";
import type { Log } from "../kernel/log.ts";
import { expireArchives } from "../services/sns/archive.ts";
import { expireConfirmations } from "../services/sns/confirmation-expiry.ts";
import { type RedeliveryDependencies, redeliver } from "../services/sns/redelivery.ts";
import { continueReplay, replaysUnderWay } from "../services/sns/replay.ts";
import type { DueUndelivered, ExpireUndelivered, ListLanes } from "../services/sns/store.ts";
import { createThrottles, type Throttles } from "../services/sns/throttles.ts";
import { repeat } from "./repeat.ts";

export interface RedeliverOptions {
  readonly deps: Omit<RedeliveryDependencies, "retryAt">;
  /** Service clock. */
  readonly clock: Clock;
  readonly log: Log;
  /** An unconditional commit, outside any request. */
  readonly commit: (commands: readonly Command[]) => Promise<unknown>;
}

export interface Redeliver {
  /** A subscription has something due at this service time: be there. */
  wake(subscriptionArn: string, atMs: EpochMs): void;
  /** Looks through the store for what is due: others may have left something. */
  lookAgain(): void;
  /** Takes up no new work; answers when the work under way has ended. */
  stop(): Promise<void>;
}

/** Attempts side by side at one endpoint, and at all of them. */
const attemptsOfLaneMax = 16;
const attemptsMax = 256;
/** A look at what another process left, and at what has had its time. */
const roundMs = 3_600_000;
/** Pause after a lane failed as a whole (the store is away). */
const failedLaneMs = 5_000;
const lanesPageMax = 1_000;

/**
 * Delivers on the service clock what waits in the store: at start, when something is due, when it
 * is woken. Each subscription has a lane of its own, so that an endpoint which answers slowly or
 * never holds up nobody but itself.
 */
export function startRedeliver(options: RedeliverOptions): Redeliver {
  const { clock, log } = options;
  const lanes = new Map<string, DeliveryLane>();
  const slots = createSlots(attemptsMax);
  const throttles = createThrottles(clock);
  let stopped = false;

  const wake = (subscriptionArn: string, atMs: EpochMs): void => {
    if (stopped) return;
    let lane = lanes.get(subscriptionArn);
    if (!lane) {
      lane = createLane({
        ...options,
        deps: { ...options.deps, retryAt: wake },
        subscriptionArn,
        slots,
        throttles,
        ended: () => lanes.delete(subscriptionArn),
      });
      lanes.set(subscriptionArn, lane);
    }
    lane.wake(atMs);
  };
  const round = async (): Promise<void> => {
    await expire(options);
    await expireConfirmations(options.deps, clock.now());
    await expireArchives(options.deps, options.commit, clock.now());
    await wakeAll(options, wake);
  };
  const cancelFirst = clock.at(clock.now(), () => first());
  const first = async () => {
    try {
      await wakeAll(options, wake);
    } catch (error) {
      log.error("deliveries were not taken up at start; they are within the hour", { error });
    }
  };
  const stopRounds = repeat({ name: "deliveries", clock, periodMs: roundMs, log, run: round });
  return {
    wake,
    lookAgain: () => void first(),
    async stop() {
      stopped = true;
      cancelFirst();
      await stopRounds();
      await Promise.all([...lanes.values()].map((lane) => lane.stop()));
    },
  };
}

async function wakeAll({ deps, clock }: RedeliverOptions, wake: Redeliver["wake"]): Promise<void> {
  for (const arn of await replaysUnderWay(deps)) wake(arn, clock.now());
  for (let afterArn = ""; ; ) {
    const lanes = await deps.ask<ListLanes>({
      kind: "sns.undelivered.lanes",
      afterArn,
      limit: lanesPageMax,
    });
    for (const { subscriptionArn, nextAttemptMs } of lanes) wake(subscriptionArn, nextAttemptMs);
    const last = lanes.at(-1);
    if (!last || lanes.length < lanesPageMax) return;
    afterArn = last.subscriptionArn;
  }
}

interface DeliveryLane {
  wake(atMs: EpochMs): void;
  stop(): Promise<void>;
}

interface LaneOptions {
  readonly deps: RedeliveryDependencies;
  readonly clock: Clock;
  readonly log: Log;
  readonly subscriptionArn: string;
  readonly slots: Slots;
  readonly throttles: Throttles;
  /** Nothing waits any more. */
  ended(): void;
}

/** The deliveries of one subscription; its rounds never overlap. */
function createLane(options: LaneOptions): DeliveryLane {
  const { clock } = options;
  let stopped = false;
  let armedMs = Number.POSITIVE_INFINITY;
  let wokenMs = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  let running: Promise<void> | undefined;

  const arm = (atMs: EpochMs): void => {
    if (stopped || atMs >= armedMs) return;
    cancel();
    armedMs = atMs;
    cancel = clock.at(atMs, run);
  };
  const run = (): Promise<void> => {
    if (stopped) return Promise.resolve();
    armedMs = Number.POSITIVE_INFINITY;
    running ??= runLane(options, () => stopped).then((nextMs) => {
      running = undefined;
      // Whoever woke a round under way may have come after it read the store.
      const atMs = Math.min(nextMs, wokenMs);
      wokenMs = Number.POSITIVE_INFINITY;
      if (atMs === Number.POSITIVE_INFINITY && armedMs === atMs) options.ended();
      else arm(atMs);
    });
    return running;
  };
  return {
    wake(atMs) {
      if (running) wokenMs = Math.min(wokenMs, atMs);
      else arm(atMs);
    },
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** Attempts all that is due in a lane; answers when it has to be looked at again. */
async function runLane(options: LaneOptions, stopped: () => boolean): Promise<EpochMs> {
  const { deps, clock, log, subscriptionArn, slots, throttles } = options;
  const due = (nowMs: EpochMs, limit: number) =>
    deps.ask<DueUndelivered>({ kind: "sns.undelivered.due", subscriptionArn, nowMs, limit });
  try {
    while (!stopped() && (await continueReplay(deps, subscriptionArn)));
    while (!stopped()) {
      const allowed = await throttles.allow(deps, subscriptionArn, attemptsOfLaneMax);
      if (allowed.count === 0) return allowed.againMs;
      const rows = await due(clock.now(), allowed.count);
      if (rows.length === 0) break;
      allowed.used(rows.length);
      const attempts = rows.map((row) => slots.run(() => redeliver(deps, row)));
      const done = await Promise.allSettled(attempts);
      for (const each of done) if (each.status === "rejected") throw each.reason;
    }
    const [next] = await due(Number.MAX_SAFE_INTEGER, 1);
    return next?.nextAttemptMs ?? Number.POSITIVE_INFINITY;
  } catch (error) {
    if (!stopped()) log.error("deliveries to a subscription failed", { subscriptionArn, error });
    return clock.now() + failedLaneMs;
  }
}

interface Slots {
  run<T>(act: () => Promise<T>): Promise<T>;
}

/** At most so many acts side by side; the others wait in line. */
function createSlots(most: number): Slots {
  let free = most;
  const line: (() => void)[] = [];
  return {
    async run(act) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => line.push(resolve));
      try {
        return await act();
      } finally {
        const next = line.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}

/** Ends the time that given-up notifications stay visible; in bites, so that no commit is long. */
async function expire({ deps, clock, commit }: RedeliverOptions): Promise<void> {
  const command: ExpireUndelivered = {
    kind: "sns.undelivered.expire",
    publishedBeforeMs: Number.MAX_SAFE_INTEGER,
    givenUpBeforeMs: clock.now() - deps.undeliveredRetentionMs,
    rowsMax: 1_000,
  };
  for (;;) {
    const results: unknown = await commit([command]);
    const [first]: unknown[] = Array.isArray(results) ? results : [];
    const removed = typeof first === "object" && first ? Reflect.get(first, "removed") : 0;
    if (removed !== command.rowsMax) return;
  }
}
