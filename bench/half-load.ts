import type { LoadCase } from "./cases.ts";
import {
  type LoadTarget,
  type MeasureOptions,
  measureAll,
  median,
  type Timing,
} from "./measure.ts";
import type { Row } from "./results.ts";

/** Latency where requests come at half the rate that the server can do, whether or not it answers. */
export interface HalfLoad {
  readonly name: string;
  readonly ratePerSecond: number;
  readonly answeredPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** How late the generator woke, which is in none of the above. */
  readonly lagP99Ms: number;
  /** Of the bare floor at the same rate: what generator and machine have in it. */
  readonly floorP50Ms: number;
  readonly floorP90Ms: number;
  readonly floorP99Ms: number;
  readonly fsyncP50Ms: number;
  readonly fsyncP90Ms: number;
  readonly fsyncP99Ms: number;
  /** p99 of the server for each p99 of the bare fsync, in the same round. */
  readonly p99PerFsync: number;
  readonly failed: number;
}

/** The bare fsync, the floor and the server take turns. */
export async function measureHalfLoad(
  { target }: LoadCase,
  floor: LoadCase,
  row: Row,
  folder: string,
  rounds: number,
  timing: Timing,
  options: MeasureOptions,
): Promise<HalfLoad> {
  const ratePerSecond = Math.round(row.requestsPerSecond / 2);
  const load: LoadTarget = { ...target, ratePerSecond };
  const bareLoad: LoadTarget = { ...floor.target, ratePerSecond };
  const fsync = { name: "raw fsync", probe: "fsync", folder };
  const slices = await measureAll([fsync, bareLoad, load], rounds, timing, options);
  const own = slices.get(load) ?? [];
  const floors = slices.get(bareLoad) ?? [];
  const bare = slices.get(fsync) ?? [];
  return {
    name: target.name,
    ratePerSecond,
    answeredPerSecond: median(own.map(({ completed, seconds }) => completed / seconds)),
    p50Ms: median(own.map(({ p50Ms }) => p50Ms)),
    p90Ms: median(own.map(({ p90Ms }) => p90Ms)),
    p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
    lagP99Ms: median(own.map(({ lagP99Ms }) => lagP99Ms)),
    floorP50Ms: median(floors.map(({ p50Ms }) => p50Ms)),
    floorP90Ms: median(floors.map(({ p90Ms }) => p90Ms)),
    floorP99Ms: median(floors.map(({ p99Ms }) => p99Ms)),
    fsyncP50Ms: median(bare.map(({ p50Ms }) => p50Ms)),
    fsyncP90Ms: median(bare.map(({ p90Ms }) => p90Ms)),
    fsyncP99Ms: median(bare.map(({ p99Ms }) => p99Ms)),
    p99PerFsync: median(own.map(({ p99Ms }, at) => p99Ms / (bare[at]?.p99Ms ?? Number.NaN))),
    failed: own.reduce((sum, slice) => sum + slice.failed, 0),
  };
}
