import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * Half of V8's young generation (it is copied from one half to the other), in bytes: as much as a
 * start makes it grow to. With 32 MiB, which V8 would take under load, a request costs the same,
 * 32 MiB more are resident, and pauses are longer.
 */
const halfBytesMax = 16 * 1024 * 1024;

/**
 * Keeps the young generation of the main thread within its bound, if it is within it now. Node has
 * a flag for that and no way to set it once a process runs (for workers there is
 * `resourceLimits`); what counts at any time is the factor by which the next collection lets it
 * grow. V8 also makes it smaller when little happens, so it must be let grow again: a look after
 * each collection costs some µs. The factor is one for all threads of the process.
 */
export function boundYoungGeneration(bytesMax = halfBytesMax): void {
  let current = "";
  const look = (): void => {
    const factor = growthFactor(halfBytes(), bytesMax);
    if (factor === current) return;
    current = factor;
    setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  };
  look();
  new PerformanceObserver(look).observe({ entryTypes: ["gc"] });
}

/** V8 doubles a half; one that would go past the bound stays as it is. */
export function growthFactor(bytes: number, bytesMax: number): "1" | "2" {
  return bytes * 2 > bytesMax ? "1" : "2";
}

/** What one half can hold now. */
export function halfBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  return space ? space.space_used_size + space.space_available_size : 0;
}
