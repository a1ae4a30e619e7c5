import { runScript, treeCpuSeconds } from "./processes.ts";
import type { Plan, Work } from "./requests.ts";

/** Something that is loaded: a floor, or one workload of the server. */
export interface Target {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly ca: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly work: Work;
  /** Loaded before a slice, unmeasured: fills what the slice takes out. */
  readonly fill?: Work;
}

export interface Timing {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Slice {
  readonly completed: number;
  readonly messages: number;
  readonly failed: number;
  readonly firstFailure: string;
  readonly seconds: number;
  /** Of the generator. */
  readonly cpuSeconds: number;
  /** Of the server and its children. */
  readonly serverCpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const connections = 64;

/**
 * Slices of all targets in turn, so that a slow minute of the machine is shared by all. Each round
 * begins with another target: nobody always comes first.
 */
export async function measureAll(
  targets: readonly Target[],
  rounds: number,
  timing: Timing,
): Promise<ReadonlyMap<Target, Slice[]>> {
  const slices = new Map(targets.map((target) => [target, [] as Slice[]]));
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`round ${round} of ${rounds}\n`);
    const first = round % targets.length;
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      slices.get(target)?.push(await slice(target, timing));
    }
  }
  return slices;
}

async function slice(target: Target, timing: Timing): Promise<Slice> {
  if (target.fill) {
    const times = { warmUpMs: 0, measureMs: timing.measureMs * 2 };
    await runScript("generator.ts", plan(target, target.fill, times));
  }
  const before = treeCpuSeconds(target.pid);
  const measured = await runScript<Slice>("generator.ts", plan(target, target.work, timing));
  // The warm-up is part of the process times; what it used is taken off by its share.
  const share = timing.measureMs / (timing.measureMs + timing.warmUpMs);
  return { ...measured, serverCpuSeconds: (treeCpuSeconds(target.pid) - before) * share };
}

function plan(target: Target, work: Work, timing: Timing): Plan {
  const { port, ca, accessKeyId, secretAccessKey } = target;
  return {
    host: "127.0.0.1",
    port,
    ca,
    connections,
    ...timing,
    region: "us-east-1",
    accessKeyId,
    secretAccessKey,
    work,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
