import type { Auditor } from "../audit/auditor.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Command } from "../kernel/command.ts";
import type { Log } from "../kernel/log.ts";
import type { SweepDataKeys } from "../sealing/store.ts";
import { runDueKeyWork } from "../services/kms/due.ts";
import type { Carriers } from "../services/sns/ports.ts";
import { startExpireMessages } from "../workers/expire-messages.ts";
import { startMoveMessages } from "../workers/move-messages.ts";
import { startRedeliver } from "../workers/redeliver.ts";
import { repeat } from "../workers/repeat.ts";
import type { ShipTrails } from "../workers/ship-trails.ts";
import { startSweepQueues } from "../workers/sweep-queues.ts";
import { type AuditJobsOptions, startAuditJobs } from "./audit-jobs.ts";
import type { DueWork } from "./due-work.ts";
import type { Services } from "./services.ts";
import type { OpenState } from "./state.ts";
import type { Trails } from "./trails.ts";

export interface JobsOptions {
  readonly carriers: Carriers;
  readonly state: OpenState;
  readonly services: Services;
  readonly clock: Clock;
  readonly log: Log;
  readonly auditor: Auditor;
  readonly trails: Trails;
  readonly audit: AuditJobsOptions;
}

export interface Jobs extends DueWork {
  /** Runs while no trail delivers. */
  readonly aloneWithTrails: ShipTrails["alone"];
  /** Another process may have made something due without a word. */
  lookAgain(): void;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;
/** A message lives at most 14 days; its data key was made up to a day before it was sent. */
const dataKeyLifeMs = 16 * dayMs;
const hourMs = 3_600_000;

/** Starts what becomes due by itself, all on the service clock. */
export function startJobs(options: JobsOptions): Jobs {
  const { state, services, clock, log } = options;
  const commit = (commands: readonly Command[]) => state.records.commit(undefined, commands);
  const { pipeline } = services;
  const redeliver = startRedeliver({
    deps: {
      ...services.sns,
      carriers: options.carriers,
      runAsService: (session, act) => pipeline.runAs(session, act),
    },
    clock,
    log,
    commit,
  });
  const keyWork = startKeyWork(options);
  const moving = startMoveMessages({ clock, jobs: services.sqs.jobs, log });
  const audit = startAuditJobs(options);
  const stops = [
    startExpireMessages({ clock, jobs: services.sqs.jobs, log }),
    startSweepQueues({ clock, jobs: services.sqs.jobs, log }),
    repeat({
      name: "sweep-data-keys",
      clock,
      periodMs: hourMs,
      log,
      run: () => sweepDataKeys(commit, clock),
    }),
  ];
  return {
    keyWorkDue: keyWork.wake,
    deliveryDue: redeliver.wake,
    moveTaskDue: moving.wake,
    trailDue: audit.shipping.wake,
    aloneWithTrails: audit.shipping.alone,
    lookAgain() {
      keyWork.wake(clock.now());
      audit.shipping.wake(clock.now());
      redeliver.lookAgain();
      moving.wake(clock.now());
    },
    async stop() {
      await Promise.all([redeliver.stop(), keyWork.stop(), moving.stop()]);
      await Promise.all(stops.map((stop) => stop()));
      await audit.stop();
    },
  };
}

async function sweepDataKeys(
  commit: (commands: readonly SweepDataKeys[]) => Promise<unknown>,
  clock: Clock,
): Promise<void> {
  await commit([
    { kind: "data-key.sweep", createdBeforeMs: clock.now() - dataKeyLifeMs, rowsMax: 1000 },
  ]);
}

/** Deletion and rotation of KMS keys: armed for the next due time, looked at once at start. */
function startKeyWork({ state, services, clock, log, auditor }: JobsOptions) {
  let stopped = false;
  let cancel = (): void => {};
  let armedMs = Number.POSITIVE_INFINITY;
  let running: Promise<void> = Promise.resolve();

  const wake = (atMs: number): void => {
    if (stopped || atMs >= armedMs) return;
    cancel();
    armedMs = atMs;
    cancel = clock.at(atMs, () => {
      armedMs = Number.POSITIVE_INFINITY;
      running = running.then(round);
      return running;
    });
  };
  const round = async (): Promise<void> => {
    if (stopped) return;
    try {
      const nextMs = await runDueKeyWork(services.kms, {
        now: () => clock.now(),
        begin() {
          const view = state.records.view();
          return {
            records: view,
            async commit(commands, events) {
              const records = events.map((event) => auditor.serviceEvent(view, event));
              return state.records.commit(view, [...commands, ...(await Promise.all(records))]);
            },
          };
        },
        keyDestroyed: (keyArn) => services.sealer.forget(keyArn),
      });
      if (nextMs !== undefined) wake(nextMs);
    } catch (error) {
      log.error("due work of KMS keys failed; it is tried again", { error });
      wake(clock.now() + 60_000);
    }
  };
  wake(clock.now());
  return {
    wake,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
