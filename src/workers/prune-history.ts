import type { Clock } from "../kernel/clock.ts";
import type { Command, Query, ResultOf, ResultsOf } from "../kernel/command.ts";
import type { Json } from "../kernel/json.ts";
import type { Log } from "../kernel/log.ts";
import type {
  ChainHead,
  FindPrunable,
  ListChainHeads,
  PruneEvents,
} from "../services/cloudtrail/store.ts";
import { prunedDetails, pruneEventName } from "../trails/pruned.ts";
import { repeat } from "./repeat.ts";

export interface PruneHistoryOptions {
  /** Service clock. */
  readonly clock: Clock;
  readonly log: Log;
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
  readonly commit: <const T extends readonly Command[]>(commands: T) => Promise<ResultsOf<T>>;
  /** Makes a service event a part of the history, durably. */
  readonly record: (event: PruneEvent) => Promise<void>;
  readonly retentionMs: number;
  /** Events of one account in one region that are kept at most. */
  readonly eventsMax: number;
  /** Lets others have a turn between bites. */
  readonly pause: () => Promise<void>;
  /** Runs while nobody reads the history through. */
  readonly alone: (act: () => Promise<void>) => Promise<void>;
}

export interface PruneEvent {
  readonly accountId: string;
  readonly region: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly resources: readonly never[];
  readonly serviceEventDetails: Json;
}

const periodMs = 3_600_000;
/** A bite is one commit: others wait for it. */
const rowsMax = 100;
/** How often progress is told, in events. */
const progressEvents = 50_000;

/** Prunes the event history each hour. The answer stops it and waits for the round under way. */
export function startPruneHistory(options: PruneHistoryOptions): () => Promise<void> {
  const { clock, log } = options;
  return repeat({
    name: "prune-history",
    clock,
    periodMs,
    log,
    run: () => options.alone(() => pruneHistory(options)),
  });
}

/**
 * Lets go of what is too old or too much, chain by chain. INVARIANT: the record that tells of it is
 * durable before the first event goes, and what is left follows from the hash in that record.
 */
export async function pruneHistory(options: Omit<PruneHistoryOptions, "alone">): Promise<void> {
  for (const head of await options.ask<ListChainHeads>({ kind: "audit.heads" })) {
    await pruneChain(options, head);
  }
}

async function pruneChain(
  options: Omit<PruneHistoryOptions, "alone">,
  head: ChainHead,
): Promise<void> {
  const { accountId, region } = head;
  const found = await options.ask<FindPrunable>({
    kind: "audit.prunable",
    accountId,
    region,
    beforeMs: options.clock.now() - options.retentionMs,
    eventsMax: options.eventsMax,
  });
  if (found === undefined) return;
  const { first, through } = found;
  const details = {
    firstNumber: first,
    throughNumber: through.number,
    throughHash: Buffer.from(through.hash).toString("hex"),
  };
  await options.record({
    accountId,
    region,
    eventSource: "cloudtrail.amazonaws.com",
    eventName: pruneEventName,
    resources: [],
    serviceEventDetails: prunedDetails(details, through.timeMs),
  });
  await removeThrough(options, head, first, through.number);
}

async function removeThrough(
  { commit, log, pause }: Pick<PruneHistoryOptions, "commit" | "log" | "pause">,
  { accountId, region }: ChainHead,
  first: number,
  throughNumber: number,
): Promise<void> {
  const total = throughNumber - first + 1;
  const prune: PruneEvents = { kind: "audit.prune", accountId, region, throughNumber, rowsMax };
  let removed = 0;
  let toldAt = 0;
  for (;;) {
    const [result] = await commit([prune]);
    removed += result.removed;
    const done = result.removed < rowsMax;
    if (done || removed - toldAt >= progressEvents) {
      log.info("pruning the event history", { accountId, region, removed, total });
      toldAt = removed;
    }
    if (done) return;
    await pause();
  }
}
