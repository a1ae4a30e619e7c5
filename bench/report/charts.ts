/** Plain SVG. Colours are variables of the page, so that one picture serves light and dark. */

export type Tone = "ours" | "floor" | "peer" | "second";

export interface Bar {
  readonly label: string;
  /** Put together from the front; a simple bar has one part. */
  readonly parts: readonly { readonly value: number; readonly tone: Tone }[];
  /** Text after the bar. */
  readonly text: string;
  /** Smallest and largest of the slices. */
  readonly range?: readonly [low: number, high: number];
  /** What a goal asks for. */
  readonly goal?: number;
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
}

const width = 880;
const labelWidth = 320;
const textWidth = 120;
const plotWidth = width - labelWidth - textWidth;
const rowHeight = 22;
const headHeight = 8;

export function barChart(chart: Chart & { readonly bars: readonly Bar[] }): string {
  const { bars } = chart;
  const sums = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const goals = bars.map(({ goal }) => goal ?? 0);
  const largest = Math.max(1e-9, ...sums.filter(Number.isFinite), ...goals);
  const ticks = linearTicks(largest);
  const top = Math.max(largest, ticks.at(-1) ?? 0);
  const x = (value: number): number => labelWidth + (value / top) * plotWidth;
  const height = headHeight + bars.length * rowHeight;
  const rows = bars.map((bar, index) => barRow(bar, headHeight + index * rowHeight, x, top));
  return figure(chart, height, [...ticks.map((at) => tick(x(at), at, height)), ...rows]);
}

function barRow(bar: Bar, y: number, x: (value: number) => number, top: number): string {
  const middle = y + rowHeight / 2;
  let from = 0;
  const parts = bar.parts.map(({ value, tone }) => {
    const start = from;
    from += Number.isFinite(value) ? value : 0;
    const length = Math.max(1, x(from) - x(start));
    return `<rect class="${tone}" x="${fixed(x(start))}" y="${y + 4}" width="${fixed(length)}" height="${rowHeight - 8}" rx="2"/>`;
  });
  const [low, high] = bar.range ?? [Number.NaN, Number.NaN];
  const range =
    Number.isFinite(low) && Number.isFinite(high)
      ? `<line class="range" x1="${fixed(x(low))}" x2="${fixed(x(Math.min(high, top)))}" y1="${middle}" y2="${middle}"/>`
      : "";
  const goal =
    bar.goal === undefined
      ? ""
      : `<line class="goal" x1="${fixed(x(bar.goal))}" x2="${fixed(x(bar.goal))}" y1="${y + 1}" y2="${y + rowHeight - 1}"/>`;
  return [
    text(labelWidth - 8, middle, bar.label, "end"),
    ...parts,
    range,
    goal,
    text(labelWidth + plotWidth + 10, middle, bar.text, "start", "value"),
  ].join("");
}

export interface Spread {
  readonly label: string;
  readonly tone: Tone;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** p50, p90 and p99 on one line each, in milliseconds, on a logarithmic axis. */
export function spreadChart(chart: Chart & { readonly spreads: readonly Spread[] }): string {
  const spreads = chart.spreads.filter(({ p50, p99 }) => p50 > 0 && p99 > 0);
  const values = spreads.flatMap(({ p50, p99 }) => [p50, p99]);
  const ticks = logTicks(Math.min(...values), Math.max(...values));
  const [low = 1, high = 10] = [ticks[0], ticks.at(-1)];
  const x = (value: number): number =>
    labelWidth + (Math.log(value / low) / Math.log(high / low)) * plotWidth;
  const height = headHeight + spreads.length * rowHeight;
  const rows = spreads.map(({ label, tone, p50, p90, p99 }, index) => {
    const middle = headHeight + index * rowHeight + rowHeight / 2;
    return [
      text(labelWidth - 8, middle, label, "end"),
      `<line class="${tone} thick" x1="${fixed(x(p50))}" x2="${fixed(x(p99))}" y1="${middle}" y2="${middle}"/>`,
      `<circle class="${tone}" cx="${fixed(x(p50))}" cy="${middle}" r="5"/>`,
      `<circle class="${tone} hollow" cx="${fixed(x(p90))}" cy="${middle}" r="4"/>`,
      `<line class="${tone} thick" x1="${fixed(x(p99))}" x2="${fixed(x(p99))}" y1="${middle - 6}" y2="${middle + 6}"/>`,
      text(
        labelWidth + plotWidth + 10,
        middle,
        `${shortNumber(p50)} / ${shortNumber(p99)}`,
        "start",
        "value",
      ),
    ].join("");
  });
  return figure(chart, height, [...ticks.map((at) => tick(x(at), at, height)), ...rows]);
}

export interface Series extends Chart {
  readonly points: readonly { readonly size: number; readonly value: number }[];
  /** The value may lie up to here. */
  readonly most: number;
}

const small = { width: 340, height: 190, left: 40, right: 16, top: 12, bottom: 26 };

/** A value by a size, the sizes on a logarithmic axis; what is allowed is a band. */
export function growthChart(series: Series): string {
  const { points, most } = series;
  // Nothing lies a step before the smallest of something.
  const least = Math.min(...points.map(({ size }) => size).filter((size) => size > 0)) / 10;
  const place = (size: number): number => Math.log10(Math.max(least, size));
  const places = points.map(({ size }) => place(size));
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const highest = Math.max(1.5, ...points.map(({ value }) => value)) * 1.05;
  const { left, right, top, bottom } = small;
  const x = (size: number): number => {
    const share = (place(size) - first) / Math.max(1e-9, last - first);
    return left + share * (small.width - left - right);
  };
  const y = (value: number): number =>
    small.height - bottom - (value / highest) * (small.height - top - bottom);
  const end = small.width - right;
  const grid = linearTicks(highest).map(
    (at) =>
      `<line class="grid" x1="${left}" x2="${end}" y1="${fixed(y(at))}" y2="${fixed(y(at))}"/>` +
      text(left - 6, y(at), shortNumber(at), "end"),
  );
  const path = points.map(({ size, value }) => `${fixed(x(size))},${fixed(y(value))}`).join(" ");
  const dots = points.map(
    ({ size, value }) =>
      `<circle class="ours" cx="${fixed(x(size))}" cy="${fixed(y(value))}" r="4"/>` +
      text(x(size), y(value) - 12, value.toFixed(2), anchorAt(x(size)), "value") +
      text(x(size), small.height - bottom + 14, compact(size), anchorAt(x(size))),
  );
  const band = `<rect class="allowed" x="${left}" width="${end - left}" y="${fixed(y(most))}" height="${fixed(y(0) - y(most))}"/>`;
  const line = `<polyline class="ours line" points="${path}"/>`;
  return figure(series, small.height, [band, ...grid, line, ...dots], small.width);
}

function compact(size: number): string {
  if (size >= 1e6) return `${size / 1e6} million`;
  return size.toLocaleString("en");
}

function anchorAt(x: number): string {
  if (x < small.left + 20) return "start";
  return x > small.width - small.right - 20 ? "end" : "middle";
}

function figure(
  { title, unit }: Chart,
  height: number,
  parts: readonly string[],
  wide: number = width,
): string {
  // Tick labels stand below a wide chart.
  const full = wide === width ? height + 22 : height;
  return (
    `<figure><figcaption>${escaped(title)} <span>${escaped(unit)}</span></figcaption>` +
    `<svg viewBox="0 0 ${wide} ${full}" width="${wide}" role="img" aria-label="${escaped(`${title}, ${unit}`)}">` +
    `${parts.join("")}</svg></figure>`
  );
}

function tick(x: number, value: number, height: number): string {
  const line = `<line class="grid" x1="${fixed(x)}" x2="${fixed(x)}" y1="${headHeight}" y2="${height}"/>`;
  return line + text(x, height + 12, shortNumber(value), "middle");
}

function text(x: number, y: number, words: string, anchor: string, kind = "label"): string {
  return `<text class="${kind}" x="${fixed(x)}" y="${fixed(y + 4)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

/** Some four round numbers from 0 to the largest. */
export function linearTicks(largest: number): number[] {
  const raw = largest / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((it) => it * power).find((it) => it >= raw) ?? raw;
  const count = Math.floor(largest / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Powers of ten around these values, with steps between where there are few. */
export function logTicks(low: number, high: number): number[] {
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const steps = to - from > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: to - from + 1 }, (_, index) =>
    steps.map((step) => step * 10 ** (from + index)),
  ).flat();
  const start = all.findLast((it) => it <= low) ?? low;
  const end = all.find((it) => it >= high && it > start) ?? high;
  return all.filter((it) => it >= start && it <= end);
}

export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (value !== 0 && Math.abs(value) < 0.1) return value.toPrecision(1);
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function fixed(value: number): string {
  return Number.isFinite(value) ? value.toFixed(1) : "0";
}

export function escaped(words: string): string {
  return words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
