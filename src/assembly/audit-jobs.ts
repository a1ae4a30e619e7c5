import { setImmediate as nextTurn } from "node:timers/promises";
import type { Auditor } from "../audit/auditor.ts";
import type { Clock } from "../kernel/clock.ts";
import { StaleDecision } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { anchorTo } from "../trails/anchor.ts";
import { startAnchorHeads } from "../workers/anchor-heads.ts";
import { type PruneEvent, startPruneHistory } from "../workers/prune-history.ts";
import { type ShipTrails, startShipTrails } from "../workers/ship-trails.ts";
import type { OpenState } from "./state.ts";
import type { Trails } from "./trails.ts";

export interface AuditJobsOptions {
  readonly systemClock: Clock;
  /** File or address; undefined: no anchor. */
  readonly anchor: string | undefined;
  readonly retentionDays: number;
  readonly eventsMax: number;
}

export interface AuditJobs {
  readonly shipping: ShipTrails;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;

/** What the audit owes to the clock: deliveries of trails, pruning, the anchor. */
export function startAuditJobs(options: {
  readonly state: OpenState;
  readonly clock: Clock;
  readonly log: Log;
  readonly auditor: Auditor;
  readonly trails: Trails;
  readonly audit: AuditJobsOptions;
}): AuditJobs {
  const { state, clock, log, auditor, trails, audit } = options;
  const { records } = state;
  const ask = state.store.query.bind(state.store);
  const shipping = startShipTrails({ clock, log, deliver: trails.deliver });
  const stopPruning = startPruneHistory({
    clock,
    log,
    ask,
    commit: (commands) => records.commit(undefined, commands),
    record: (event) => recordEvent(records, auditor, event),
    retentionMs: audit.retentionDays * dayMs,
    eventsMax: audit.eventsMax,
    pause: () => nextTurn(),
    alone: shipping.alone,
  });
  const { anchor, systemClock } = audit;
  const anchoring =
    anchor === undefined
      ? undefined
      : startAnchorHeads({
          clock: systemClock,
          log,
          ask,
          write: anchorTo(anchor, () => systemClock.now()),
        });
  return {
    shipping,
    async stop() {
      await Promise.all([shipping.stop(), stopPruning()]);
      await anchoring?.stop();
    },
  };
}

async function recordEvent(
  records: OpenState["records"],
  auditor: Auditor,
  event: PruneEvent,
): Promise<void> {
  for (;;) {
    const view = records.view();
    try {
      await records.commit(view, [await auditor.serviceEvent(view, event)]);
      return;
    } catch (error) {
      // A trail was changed meanwhile: it may select the event now.
      if (!(error instanceof StaleDecision)) throw error;
    }
  }
}
