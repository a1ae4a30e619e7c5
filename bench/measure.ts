import { runGenerator } from "./generators.ts";
import {
  machineCpuSeconds,
  ownCpuSeconds,
  runScript,
  treeCpuSeconds,
  treeResidentBytes,
} from "./processes.ts";
import type { Loaded, Plan, RequestSpec, Work } from "./requests.ts";

/** What is measured: a server under load, or a function in a process of its own. */
export type Target = LoadTarget | ProbeTarget;

/** A floor, a peer, or one workload of the server. */
export interface LoadTarget {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly ca: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly work: Work;
  /** Default 64. */
  readonly connections?: number;
  /** Which of the two generators; default: the one that the run was told. */
  readonly generator?: Generator;
  /** Loaded before a slice, unmeasured: fills what the slice takes out. */
  readonly fill?: Work;
  /** Sent after a slice, unmeasured: takes out what the slice put in. */
  readonly after?: readonly RequestSpec[];
  /** Requests that become due in a second, whether or not others were answered. */
  readonly ratePerSecond?: number;
  /** How many times as long its slices are; default 1. */
  readonly longer?: number;
}

export interface ProbeTarget {
  readonly name: string;
  /** One of `probe.ts`. */
  readonly probe: string;
  /** Where it writes, if it does. */
  readonly folder: string;
}

export interface Timing {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export type Generator = "wrk" | "own";

export interface Slice extends Loaded {
  /** Of the server and its children; of the probe itself. */
  readonly serverCpuSeconds: number;
  /** Cores that others used meanwhile, and that the host did not give. */
  readonly otherCores: number;
  /** Of the server and its children, at the end of the slice. */
  readonly residentBytes: number;
  readonly generator: Generator | "none";
}

export const defaultConnections = 64;

export interface MeasureOptions {
  readonly generator?: Generator;
  readonly progress?: (text: string) => void;
}

/**
 * Slices of all targets in turn, so that a slow minute of the machine is shared by all. Each round
 * begins with another target: nobody always comes first.
 */
export async function measureAll<T extends Target>(
  targets: readonly T[],
  rounds: number,
  timing: Timing,
  options: MeasureOptions = {},
): Promise<ReadonlyMap<T, Slice[]>> {
  const slices = new Map(targets.map((target) => [target, [] as Slice[]]));
  const tell = options.progress ?? ((text: string) => void process.stderr.write(`${text}\n`));
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    const first = (round * Math.ceil(targets.length / rounds)) % targets.length;
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      slices.get(target)?.push(await measureOnce(target, timing, options));
    }
  }
  return slices;
}

export async function measureOnce(
  target: Target,
  asked: Timing,
  options: MeasureOptions = {},
): Promise<Slice> {
  if ("probe" in target) return probe(target, asked);
  const timing = { ...asked, measureMs: asked.measureMs * (target.longer ?? 1) };
  const fixed = target.work.kind === "fixed" && target.ratePerSecond === undefined;
  const generator = fixed ? (target.generator ?? options.generator ?? "own") : "own";
  if (target.fill) {
    const times = { warmUpMs: 0, measureMs: timing.warmUpMs + timing.measureMs };
    await runGenerator("own", planOf({ ...target, connections: 64 }, target.fill, times));
  }
  const watched = await watch(target.pid, () =>
    runGenerator(generator, planOf(target, target.work, timing)),
  );
  if (target.after) {
    const once: Work = { kind: "turns", requests: target.after, once: true };
    await runGenerator("own", planOf(target, once, { warmUpMs: 0, measureMs: 60_000 }));
  }
  return { ...watched, generator };
}

async function probe(target: ProbeTarget, timing: Timing): Promise<Slice> {
  // A function is hot at once, and its slices vary less.
  const input = { ...target, ...timing, measureMs: timing.measureMs / 2 };
  const watched = await watch(0, () => runScript<Loaded>("probe.ts", input));
  const serverCpuSeconds = watched.cpuSeconds;
  return { ...watched, serverCpuSeconds, cpuSeconds: 0, generator: "none" };
}

/** Sees meanwhile what others used of the machine. */
async function watch(
  pid: number,
  load: () => Promise<Loaded & { serverCpuSeconds?: number }>,
): Promise<Omit<Slice, "generator">> {
  const take = () => ({
    ...ownCpuSeconds(),
    server: treeCpuSeconds(pid),
    machine: machineCpuSeconds(),
    atMs: performance.now(),
  });
  const before = take();
  const loaded = await load();
  const after = take();
  const ours = (["own", "ended", "server"] as const).reduce(
    (sum, name) => sum + after[name] - before[name],
    0,
  );
  const others = after.machine - before.machine - ours;
  const residentBytes = pid === 0 ? 0 : treeResidentBytes(pid).reduce((sum, size) => sum + size);
  return {
    ...loaded,
    serverCpuSeconds: loaded.serverCpuSeconds ?? 0,
    otherCores: Math.max(0, others / ((after.atMs - before.atMs) / 1000)),
    residentBytes,
  };
}

export function planOf(target: LoadTarget, work: Work, timing: Timing): Plan {
  const { pid, port, ca, accessKeyId, secretAccessKey, ratePerSecond } = target;
  return {
    host: "127.0.0.1",
    port,
    ca,
    pid,
    connections: target.connections ?? defaultConnections,
    ...timing,
    region: "us-east-1",
    accessKeyId,
    secretAccessKey,
    work,
    ratePerSecond,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
