import type { EpochMs } from "../../kernel/clock.ts";

/** How often something may happen: a bucket of one second for each name. */
export interface Rate {
  /** False: too often. */
  take(name: string, nowMs: EpochMs): boolean | Promise<boolean>;
}

/** AWS: two a second for an account in a region; `off`: no limit. */
export function lookupRate(quota: "off" | "aws"): Rate | undefined {
  return quota === "aws" ? createRate(2) : undefined;
}

/** Names are made up by callers: what is idle is full, and forgotten without loss. */
const namesMax = 10_000;

function createRate(perSecond: number): Rate {
  const buckets = new Map<string, { tokens: number; asOfMs: EpochMs }>();
  return {
    take(name, nowMs) {
      const before = buckets.get(name) ?? { tokens: perSecond, asOfMs: nowMs };
      const passedMs = Math.max(0, nowMs - before.asOfMs);
      const tokens = Math.min(perSecond, before.tokens + (passedMs * perSecond) / 1000);
      if (buckets.size >= namesMax && !buckets.has(name)) buckets.clear();
      buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, asOfMs: nowMs });
      return tokens >= 1;
    },
  };
}
