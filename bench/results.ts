import type { Case } from "./cases.ts";
import type { Footprint } from "./footprint.ts";
import type { Goal } from "./goals.ts";
import type { Curve } from "./growth.ts";
import type { HalfLoad } from "./half-load.ts";
import { type Generator, median, type Slice, type Target } from "./measure.ts";

/** All that a run found; written as JSON, and what the report is drawn from. */
export interface Results {
  readonly form: "short" | "full";
  readonly only: string | undefined;
  readonly startedAt: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly sliceMs: number;
  readonly machine: Machine;
  readonly generator: Generator;
  readonly rows: readonly Row[];
  /** Peers that are not here. */
  readonly absent: readonly string[];
  readonly sealing: SealingCost | undefined;
  readonly footprint: Footprint | undefined;
  readonly halfLoad: readonly HalfLoad[];
  readonly growth: readonly Curve[];
  readonly goals: readonly Goal[];
}

export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  /** Runnable threads in the last minute, before and after the run. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** CPU that SSE-KMS costs a message, beside the same requests without SSE. */
export interface SealingCost {
  /** Median of the differences of slices in pairs, and the middle half of them. */
  readonly microseconds: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

/** A case with its slices put together: medians, and the ratio to its floor in each round. */
export interface Row extends Omit<Case, "target"> {
  readonly name: string;
  readonly generator: Slice["generator"];
  readonly slices: number;
  /** In all slices together. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly messagesPerSecond: number;
  /** Requests for each request of the floor; NaN without a floor, in JSON null. */
  readonly ratio: number;
  readonly ratioLow: number;
  readonly ratioHigh: number;
  /** The floor's CPU for a request divided by ours: steadier where others use the machine. */
  readonly cpuRatio: number;
  /** Messages for each request of the floor. */
  readonly messageRatio: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly serverMicroseconds: number;
  readonly serverMicrosecondsPerMessage: number;
  readonly generatorMicroseconds: number;
  /** Cores that were used by none of ours. */
  readonly otherCores: number;
  readonly residentBytes: number;
  readonly failed: number;
  readonly firstFailure: string;
  /** Receives that found nothing. */
  readonly empty: number;
}

/** More than this used by others, and a row's times are not to be trusted. */
export const otherCoresMax = 0.25;

/** Receives that find nothing are too many beyond this share of all requests. */
const emptyShareMax = 0.02;

/** Why a row is not to be compared; empty if it is. */
export function marks(row: Row): string[] {
  const found: string[] = [];
  if (row.failed > 0) found.push(`${row.failed} FAILED: ${row.firstFailure}`);
  if (row.requests === 0) found.push("nothing was answered within its slices");
  if (row.empty > row.requests * emptyShareMax) found.push(`ran dry ${row.empty} times`);
  return found;
}

export function rowsOf(
  cases: readonly Case[],
  slices: ReadonlyMap<Target, readonly Slice[]>,
): Row[] {
  const byName = new Map(cases.map((it) => [it.target.name, slices.get(it.target) ?? []]));
  return cases.map((it) => rowOf(it, byName.get(it.target.name) ?? [], byName.get(it.floor ?? "")));
}

function rowOf(it: Case, slices: readonly Slice[], floor: readonly Slice[] | undefined): Row {
  const { target, ...facts } = it;
  const of = (value: (slice: Slice) => number) => median(slices.map(value));
  const per = (seconds: (slice: Slice) => number, count: (slice: Slice) => number) =>
    of((slice) => (seconds(slice) / Math.max(1, count(slice))) * 1e6);
  // A function's speed is that of its CPU time: what others used meanwhile is not its doing.
  const isProbe = "probe" in target && target.probe !== "fsync" && !target.probe.includes("store");
  const secondsOf = (slice: Slice) => (isProbe ? slice.serverCpuSeconds : slice.seconds);
  const rate = (slice: Slice) => slice.completed / secondsOf(slice);
  const messageRate = (slice: Slice) => slice.messages / secondsOf(slice);
  const cpu = (slice: Slice) => slice.serverCpuSeconds / Math.max(1, slice.completed);
  const ratios = inRounds(slices, floor, (own, under) => rate(own) / rate(under));
  return {
    ...facts,
    name: target.name,
    generator: slices[0]?.generator ?? "none",
    slices: slices.length,
    requests: slices.reduce((sum, slice) => sum + slice.completed, 0),
    requestsPerSecond: of(rate),
    messagesPerSecond: of(messageRate),
    ratio: medianOr(ratios),
    ratioLow: Math.min(...ratios),
    ratioHigh: Math.max(...ratios),
    cpuRatio: medianOr(inRounds(slices, floor, (own, under) => cpu(under) / cpu(own))),
    messageRatio: medianOr(inRounds(slices, floor, (own, under) => messageRate(own) / rate(under))),
    p50Ms: of((slice) => slice.p50Ms),
    p90Ms: of((slice) => slice.p90Ms),
    p99Ms: of((slice) => slice.p99Ms),
    serverMicroseconds: per(
      (slice) => slice.serverCpuSeconds,
      (slice) => slice.completed,
    ),
    serverMicrosecondsPerMessage: per(
      (slice) => slice.serverCpuSeconds,
      (slice) => slice.messages,
    ),
    generatorMicroseconds: per(
      (slice) => slice.cpuSeconds,
      (slice) => slice.completed,
    ),
    otherCores: of((slice) => slice.otherCores),
    residentBytes: Math.max(0, ...slices.map((slice) => slice.residentBytes)),
    failed: slices.reduce((sum, slice) => sum + slice.failed, 0),
    firstFailure: slices.find((slice) => slice.firstFailure !== "")?.firstFailure ?? "",
    empty: slices.reduce((sum, slice) => sum + slice.empty, 0),
  };
}

/** NaN where there is nothing to compare with. */
function medianOr(values: readonly number[]): number {
  return values.length > 0 ? median(values) : Number.NaN;
}

/** A figure of two targets in each round, so that a slow minute hits both. */
export function inRounds(
  slices: readonly Slice[],
  others: readonly Slice[] | undefined,
  figure: (own: Slice, other: Slice) => number,
): number[] {
  return slices.flatMap((slice, round) => {
    const other = others?.[round];
    return other ? [figure(slice, other)] : [];
  });
}
