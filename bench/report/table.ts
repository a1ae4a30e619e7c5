import { type Goal, verdict } from "../goals.ts";
import type { Slice, Target } from "../measure.ts";
import { marks, otherCoresMax, type Results, type Row, rowsOf } from "../results.ts";

/** With names of up to 38 characters a line has 100. */
const columns: readonly (readonly [title: string, width: number, text: (row: Row) => string])[] = [
  ["req/s", 7, (row) => whole(row.requestsPerSecond)],
  ["msg/s", 7, (row) => whole(row.messagesPerSecond)],
  ["ratio", 6, (row) => ratio(row.ratio)],
  ["cpu", 6, (row) => ratio(row.cpuRatio)],
  ["p50", 7, (row) => short(row.p50Ms)],
  ["p99", 7, (row) => short(row.p99Ms)],
  ["srv", 6, (row) => short(row.serverMicroseconds)],
  ["cli", 5, (row) => whole(row.generatorMicroseconds)],
  ["oth", 4, (row) => row.otherCores.toFixed(1)],
];

const legend = [
  "ratio: requests for each request of the floor of the same scheme, connections and size, median",
  "of the rounds; cpu: the same by CPU time, of all processes of a server; p50, p99: ms; srv, cli: µs",
  "of CPU for a request, of the server's processes and of the generator; oth: cores that others used",
  "meanwhile. Functions: per second of their CPU time.",
];

/** The results on a terminal. */
export function table(rows: readonly Row[]): string {
  const names = Math.max(0, ...rows.map(({ name }) => name.length));
  const line = (name: string, cells: readonly string[]) =>
    [
      name.padEnd(names),
      ...cells.map((cell, at) => ` ${cell.padStart((columns[at]?.[1] ?? 1) - 1)}`),
    ].join("");
  const lines = rows.flatMap((row) => [
    line(
      row.name,
      columns.map(([, , text]) => text(row)),
    ),
    ...marks(row).map((mark) => `  ✖ ${mark}`),
  ]);
  const titles = columns.map(([title]) => title);
  return [line("", titles), ...lines, ...legend].join("\n");
}

/** What other benchmarks measured: a table of targets with the bare https server as floor. */
export function targetTable<T extends Target>(slices: ReadonlyMap<T, readonly Slice[]>): string {
  const cases = [...slices.keys()].map((target) => ({
    target,
    subject: "sealpost" as const,
    operation: target.name,
    floor: "bare node:https",
    short: true,
  }));
  return table(rowsOf(cases, slices));
}

export function goalLines(goals: readonly Goal[]): string {
  const names = Math.max(0, ...goals.map(({ goal }) => goal.length));
  const lines = goals.map((goal) => {
    const found = verdict(goal);
    const sign = { met: "✔", "not met": "✖", "not measured": "–" }[found];
    const measured = found === "not measured" ? found : number(goal.measured ?? 0);
    const parts = [`${sign} ${goal.goal.padEnd(names)}`, `${measured} (${bound(goal)})`, goal.unit];
    return `${parts.join("  ")}${goal.remark ? `; ${goal.remark}` : ""}`;
  });
  return lines.join("\n");
}

export function bound({ atLeast, atMost, stretch }: Goal): string {
  const asked = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  return stretch === undefined ? asked : `${asked}, stretch ${stretch}`;
}

/** How quiet the machine was. */
export function loadLine({ machine, rows }: Pick<Results, "machine" | "rows">): string {
  const busy = rows.filter(({ otherCores }) => otherCores > otherCoresMax).length;
  const load = `load ${machine.loadBefore.toFixed(2)} before, ${machine.loadAfter.toFixed(2)} after`;
  if (rows.length === 0) return load;
  const judged =
    busy === 0
      ? "the machine was ours"
      : `others used more than ${otherCoresMax} cores in ${busy} of ${rows.length} rows: ` +
        "trust CPU times, not rates, ratios and latencies";
  return `${load}; ${judged}`;
}

export function number(value: number): string {
  if (Math.abs(value) >= 100) return whole(value);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function whole(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : "";
}

function ratio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : "";
}

function short(value: number): string {
  return Number.isFinite(value) ? number(value) : "";
}
