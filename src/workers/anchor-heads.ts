import type { Clock } from "../kernel/clock.ts";
import type { Query, ResultOf } from "../kernel/command.ts";
import type { Log } from "../kernel/log.ts";
import type { ChainHead, ListChainHeads } from "../services/cloudtrail/store.ts";

export interface AnchorHeadsOptions {
  /** System clock: the anchor lives by the world's time. */
  readonly clock: Clock;
  readonly log: Log;
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
  /** Writes new heads outside, durably as far as the outside allows. */
  readonly write: (heads: readonly ChainHead[]) => Promise<void>;
}

export interface AnchorHeads {
  /** Writes what is new, and ends. */
  stop(): Promise<void>;
}

/** A head is written within this time; what came meanwhile is one head. */
const periodMs = 1000;

/**
 * Writes the heads of the histories to a place outside, as they grow. What cannot be written is
 * tried again: requests go on meanwhile, and the log says so.
 */
export function startAnchorHeads({ clock, log, ask, write }: AnchorHeadsOptions): AnchorHeads {
  const written = new Map<string, number>();
  let stopped = false;
  let failing = false;
  let cancel = (): void => {};
  let running: Promise<void> = Promise.resolve();

  async function round(): Promise<void> {
    try {
      const heads = await ask<ListChainHeads>({ kind: "audit.heads" });
      const fresh = heads.filter((head) => written.get(nameOf(head)) !== head.number);
      if (fresh.length > 0) await write(fresh);
      for (const head of fresh) written.set(nameOf(head), head.number);
      if (failing) log.info("the audit's anchor is written again");
      failing = false;
    } catch (error) {
      if (!failing) log.error("the audit's anchor cannot be written", { error });
      failing = true;
    }
  }
  const arm = (): void => {
    if (stopped) return;
    cancel = clock.at(clock.now() + periodMs, () => {
      running = round().finally(arm);
      return running;
    });
  };
  running = round().finally(arm);
  return {
    async stop() {
      stopped = true;
      cancel();
      await running;
      await round();
    },
  };
}

function nameOf({ accountId, region }: ChainHead): string {
  return `${accountId}/${region}`;
}
