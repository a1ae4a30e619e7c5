import type { AccessKeyUse } from "../../services/iam/dependencies.ts";
import type { Sqs } from "../../services/sqs/service.ts";
import type { Line } from "../../threads/line.ts";
import type { ThreadCounts } from "../queue-metrics.ts";
import { latestOf, type Usage } from "../usage.ts";

type TakenUses = readonly (readonly [id: string, use: AccessKeyUse])[];

/** What further threads counted, for the first one, which tells of all. */
export interface UsageElsewhere {
  counts(): Promise<readonly ThreadCounts[]>;
  lastUse(id: string): Promise<AccessKeyUse | undefined>;
  /** Uses of access keys that were not taken yet, with `own`. */
  takeAccessKeyUses(
    own: ReadonlyMap<string, AccessKeyUse>,
  ): Promise<ReadonlyMap<string, AccessKeyUse>>;
}

/** `live`: of the lines, those whose threads run now. */
export function usageElsewhere(
  lines: readonly Line[],
  live: () => readonly Line[],
): UsageElsewhere {
  const left = new Map<string, AccessKeyUse>();
  const askAll = <T>(topic: string, value?: unknown) =>
    Promise.all(live().map((line) => line.ask<T>(topic, value)));
  for (const line of lines) line.on<TakenUses>("usage.left", (uses) => addLatest(left, uses));
  return {
    counts: () => askAll<ThreadCounts>("usage.counts"),
    lastUse: async (id) => latestOf(...(await askAll<AccessKeyUse | undefined>("usage.last", id))),
    async takeAccessKeyUses(own) {
      const all = new Map([...own, ...left]);
      left.clear();
      addLatest(all, [...own]);
      for (const uses of await askAll<TakenUses>("usage.take")) addLatest(all, uses);
      return all;
    },
  };
}

function addLatest(all: Map<string, AccessKeyUse>, uses: TakenUses): void {
  for (const [id, use] of uses) all.set(id, latestOf(all.get(id), use) ?? use);
}

/** In the first thread: what a further one asks about a key's last use, all threads together. */
export function serveLastUse(line: Line, latest: (id: string) => Promise<unknown>): void {
  line.on<string>("usage.last-of-all", latest);
}

export function lastUseOfAll(line: Line): (id: string) => Promise<AccessKeyUse | undefined> {
  return (id) => line.ask<AccessKeyUse | undefined>("usage.last-of-all", id);
}

/** In a further thread. */
export function serveUsage(line: Line, usage: Usage, sqs: Pick<Sqs, "used">): void {
  line.on(
    "usage.counts",
    (): ThreadCounts => ({
      metrics: usage.metrics.snapshot(),
      queues: sqs.used(),
    }),
  );
  line.on<string>("usage.last", (id) => usage.lastUse(id));
  line.on("usage.take", (): TakenUses => [...usage.takeAccessKeyUses()]);
}

/** When a further thread stops: what nobody took yet. */
export function leaveUsage(line: Line, usage: Usage): void {
  line.tell("usage.left", [...usage.takeAccessKeyUses()] satisfies TakenUses);
}
