import { median, type Slice, type Target } from "./measure.ts";

/** With names of up to 35 characters a line has 80. */
const widths = [5, 5, 5, 5, 5, 4, 4, 4];

/** One line per target: medians, and the ratio to the bare https server of the same run. */
export function report(slices: ReadonlyMap<Target, readonly Slice[]>): string {
  const rate = (list: readonly Slice[]) => median(list.map((s) => s.completed / s.seconds));
  const floor = [...slices].find(([target]) => target.name === "bare node:https");
  const floorRate = floor ? rate(floor[1]) : Number.NaN;
  const names = Math.max(...[...slices.keys()].map(({ name }) => name.length));
  const row = (name: string, figures: readonly string[]) =>
    [name.padEnd(names), ...figures.map((figure, at) => figure.padStart(widths[at] ?? 0))].join(
      " ",
    );
  const header = row("", ["req/s", "msg/s", "ratio", "p50", "p99", "srv", "cli", "fail"]);
  const lines = [...slices].map(([target, list]) => {
    const each = (value: (slice: Slice) => number) => median(list.map(value));
    const perRequest = (seconds: (slice: Slice) => number) =>
      each((s) => (seconds(s) / Math.max(1, s.completed)) * 1e6).toFixed(0);
    const requests = rate(list);
    const failed = list.reduce((sum, { failed: count }) => sum + count, 0);
    return row(target.name, [
      requests.toFixed(0),
      each((s) => s.messages / s.seconds).toFixed(0),
      (requests / floorRate).toFixed(2),
      each((s) => s.p50Ms).toFixed(1),
      each((s) => s.p99Ms).toFixed(1),
      perRequest((s) => s.serverCpuSeconds),
      perRequest((s) => s.cpuSeconds),
      String(failed),
    ]);
  });
  const failures = [...slices.values()].flat().map(({ firstFailure }) => firstFailure);
  const firstFailure = failures.find((text) => text !== "");
  return [
    header,
    ...lines,
    "p50, p99: ms; srv, cli: µs of CPU for a request, in server and client",
    ...(firstFailure ? [`first failure: ${firstFailure}`] : []),
  ].join("\n");
}
