import { join } from "node:path";
import { idleShare } from "./footprint.ts";
import {
  curveNames,
  type GrowthOptions,
  growMessages,
  growOthers,
  type Sized,
  titleOf,
} from "./growth-sizes.ts";
import { type LoadTarget, measureAll, median, type Slice } from "./measure.ts";
import type { Work } from "./requests.ts";
import { inRounds } from "./results.ts";
import { type BenchServer, pause, startServer } from "./server.ts";

/** How the cost of one operation grows with the number of something. */
export interface Curve {
  readonly of: string;
  readonly operation: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly size: number;
  /** CPU of the server's processes for each message that was moved. */
  readonly microseconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  /** Cost for each cost of the smallest size, in the same round. */
  readonly cost: number;
  readonly failed: number;
  readonly firstFailure: string;
}

const timing = { warmUpMs: 500, measureMs: 1_500 };
const flags = ["--allow-insecure-sse"];

export interface Growth {
  readonly curves: readonly Curve[];
  readonly idle: { readonly queues: number; readonly share: number } | undefined;
}

/** All curves, each of them with its sizes in turn. */
export async function measureGrowth(options: GrowthOptions): Promise<Growth> {
  const parts = { messages: growMessages, others: growOthers };
  if (curveNames(options.only).length === 0) return { curves: [], idle: undefined };
  const curves: Curve[] = [];
  let idle: Growth["idle"];
  for (const [name, grow] of Object.entries(parts)) {
    const servers: BenchServer[] = [];
    const start = async (size: number): Promise<[BenchServer, string]> => {
      const folder = join(options.folder, `${name}-${size}`);
      const server = await startServer(folder, flags);
      servers.push(server);
      return [server, folder];
    };
    try {
      const { sized, idleOf } = await grow(options, start);
      curves.push(...(await measureSized(sized, options)));
      // What follows on the load, such as V8 clearing up a large heap, is not the idle server.
      if (idleOf) await pause(30_000);
      if (idleOf) idle = { queues: idleOf.size, share: await idleShare(idleOf.pid, 10_000) };
    } finally {
      for (const server of servers) await server.stop();
    }
  }
  return { curves, idle };
}

async function measureSized(all: readonly Sized[], options: GrowthOptions): Promise<Curve[]> {
  const names = curveNames(options.only);
  const wanted = all.filter(({ of, operation }) => names.includes(titleOf(of, operation)));
  // Every resource once: what the first request for it costs is no matter of their number.
  for (const { target } of wanted) await warmUp(target, options);
  const targets = wanted.map(({ target }) => target);
  if (targets.length === 0) return [];
  const slices = await measureAll(targets, options.rounds, timing, options);
  const curves = new Map<string, Sized[]>();
  for (const sized of wanted) {
    const name = `${sized.of}, ${sized.operation}`;
    curves.set(name, [...(curves.get(name) ?? []), sized]);
  }
  return [...curves.values()].map((points) => curveOf(points, slices));
}

async function warmUp(target: LoadTarget, options: GrowthOptions): Promise<void> {
  const { work } = target;
  const once: Work = work.kind === "turns" ? { ...work, once: true } : work;
  const measureMs = work.kind === "turns" ? 120_000 : 500;
  await measureAll(
    [{ ...target, work: once }],
    1,
    { warmUpMs: 0, measureMs },
    {
      ...options,
      progress: () => undefined,
    },
  );
}

function curveOf(points: readonly Sized[], slices: ReadonlyMap<LoadTarget, Slice[]>): Curve {
  const of = (sized: Sized | undefined) => (sized && slices.get(sized.target)) ?? [];
  const smallest = of(points[0]);
  const cost = (slice: Slice) => (slice.serverCpuSeconds / Math.max(1, slice.messages)) * 1e6;
  return {
    of: points[0]?.of ?? "",
    operation: points[0]?.operation ?? "",
    points: points.map((sized) => {
      const own = of(sized);
      return {
        size: sized.size,
        microseconds: median(own.map(cost)),
        perSecond: median(own.map(({ messages, seconds }) => messages / seconds)),
        p50Ms: median(own.map(({ p50Ms }) => p50Ms)),
        cost: median(inRounds(own, smallest, (slice, first) => cost(slice) / cost(first))),
        failed: own.reduce((sum, { failed }) => sum + failed, 0),
        firstFailure: own.find(({ firstFailure }) => firstFailure !== "")?.firstFailure ?? "",
      };
    }),
  };
}
