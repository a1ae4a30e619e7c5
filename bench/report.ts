import { median, type Slice, type Target } from "./measure.ts";

/** One line per target: medians, and the ratio to the bare https server of the same run. */
export function report(slices: ReadonlyMap<Target, readonly Slice[]>): string {
  const rate = (list: readonly Slice[]) => median(list.map((s) => s.completed / s.seconds));
  const floor = [...slices].find(([target]) => target.name === "bare node:https");
  const floorRate = floor ? rate(floor[1]) : Number.NaN;
  const header = [
    "workload".padEnd(38),
    "req/s".padStart(8),
    "msg/s".padStart(8),
    "ratio".padStart(6),
    "p50 ms".padStart(7),
    "p99 ms".padStart(7),
    "server µs".padStart(10),
    "client µs".padStart(10),
    "failed".padStart(7),
  ];
  const lines = [...slices].map(([target, list]) => {
    const each = (value: (slice: Slice) => number) => median(list.map(value));
    const perRequest = (seconds: (slice: Slice) => number) =>
      each((s) => (seconds(s) / Math.max(1, s.completed)) * 1e6).toFixed(0);
    const requests = rate(list);
    const failed = list.reduce((sum, { failed: count }) => sum + count, 0);
    return [
      target.name.padEnd(38),
      requests.toFixed(0).padStart(8),
      each((s) => s.messages / s.seconds)
        .toFixed(0)
        .padStart(8),
      (requests / floorRate).toFixed(2).padStart(6),
      each((s) => s.p50Ms)
        .toFixed(2)
        .padStart(7),
      each((s) => s.p99Ms)
        .toFixed(2)
        .padStart(7),
      perRequest((s) => s.serverCpuSeconds).padStart(10),
      perRequest((s) => s.cpuSeconds).padStart(10),
      String(failed).padStart(7),
    ].join(" ");
  });
  const failures = [...slices.values()].flat().map(({ firstFailure }) => firstFailure);
  const firstFailure = failures.find((text) => text !== "");
  return [
    header.join(" "),
    ...lines,
    ...(firstFailure ? [`first failure: ${firstFailure}`] : []),
  ].join("\n");
}
