import type { EpochMs } from "../kernel/clock.ts";

/** What is predicted for, and counted in. */
export interface Period {
  readonly fromMs: EpochMs;
  /** The first moment that is no longer in it. */
  readonly toMs: EpochMs;
  /** A use that began up to so long before is counted from its beginning. */
  readonly graceMs: number;
}

const hourMs = 3_600_000;

/**
 * The time up to now. A service clock runs between two requests, so what was begun exactly so long
 * ago began a moment before the period: the grace of an hour keeps it in.
 */
export function periodUpTo(nowMs: EpochMs, seconds: number): Period {
  const toMs = nowMs + 1;
  return { fromMs: toMs - seconds * 1000, toMs, graceMs: hourMs };
}

/** A calendar month of UTC, `2026-01`; undefined: it is none. */
export function monthOf(text: string): Period | undefined {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (year === undefined || month === undefined) return undefined;
  const at = (index: number) => Date.UTC(Number(year), index, 1);
  return { fromMs: at(Number(month) - 1), toMs: at(Number(month)), graceMs: 0 };
}

export function periodSeconds({ fromMs, toMs }: Period): number {
  return (toMs - fromMs) / 1000;
}
