import { type Goal, type Verdict, verdict } from "../goals.ts";
import { marks, type Results, type Row } from "../results.ts";
import { type Bar, barChart, escaped, growthChart, shortNumber, spreadChart } from "./charts.ts";
import { bound, number } from "./table.ts";

const signs: Readonly<Record<Verdict, string>> = {
  met: "✔ met",
  "not met": "✖ not met",
  "not measured": "– not measured",
};

export function goalSection({ goals }: Results): string {
  const count = (wanted: Verdict) => goals.filter((goal) => verdict(goal) === wanted).length;
  const rows = goals.map((goal) => {
    const found = verdict(goal);
    const measured = found === "not measured" ? "" : number(goal.measured ?? 0);
    const unit = goal.remark ? `${goal.unit}<br><small>${escaped(goal.remark)}</small>` : goal.unit;
    return (
      `<tr class="${found.replace(" ", "-")}"><td>${signs[found]}</td><td>${escaped(goal.goal)}</td>` +
      `<td class="figure">${measured}</td><td class="figure">${escaped(bound(goal))}</td><td>${unit}</td></tr>`
    );
  });
  const summary = (["met", "not met", "not measured"] as const)
    .map((wanted) => `${count(wanted)} ${wanted}`)
    .join(", ");
  return section(
    "Goals",
    `<p>${summary}.</p><table><tr><th></th><th>goal</th><th>measured</th><th>asked</th><th>of what</th></tr>${rows.join("")}</table>`,
  );
}

const goalOfOperation: Readonly<Record<string, (scheme: string) => number | undefined>> = {
  SendMessage: (scheme) => (scheme === "http" ? 0.4 : 0.42),
  "Publish to 3 queues": () => 0.2,
};

function usual({ connections, bodyBytes }: Row): boolean {
  return connections === 64 && (bodyBytes ?? 0) <= 1024 && bodyBytes !== 256;
}

export function ratioSection({ rows }: Results): string {
  const bars = rows
    .filter((row) => row.subject === "sealpost" && usual(row) && comparable(row))
    .map((row): Bar => {
      const goal =
        row.encryption === "SSE-KMS"
          ? goalOfOperation[row.operation]?.(row.scheme ?? "")
          : undefined;
      return {
        label: row.name,
        parts: [{ value: row.ratio, tone: "ours" }],
        text: row.ratio.toFixed(2),
        range: [row.ratioLow, row.ratioHigh],
        ...(goal !== undefined && { goal }),
      };
    });
  const others = rows.filter(
    (row) => row.subject === "sealpost" && row.scheme && !usual(row) && comparable(row),
  );
  const variants = others.map(
    (row): Bar => ({
      label: row.name,
      parts: [{ value: row.ratio, tone: "ours" }],
      text: row.ratio.toFixed(2),
      range: [row.ratioLow, row.ratioHigh],
    }),
  );
  const unit = "requests for each request of the bare server; line: all rounds, mark: goal";
  return section(
    "Beside a bare server",
    chart(bars, "64 connections, 1 KiB", unit) + chart(variants, "other connections, sizes", unit),
  );
}

function comparable(row: Row): boolean {
  return Number.isFinite(row.ratio) && marks(row).length === 0 && row.scheme !== undefined;
}

function chart(bars: readonly Bar[], title: string, unit: string): string {
  return bars.length === 0 ? "" : barChart({ title, unit, bars });
}

export function peerSection({ rows, absent }: Results): string {
  const bars = rows
    .filter(({ subject }) => subject === "fauxqs" || subject === "moto")
    .flatMap((peer) => {
      const ours = rows.find((row) => row.name === `${peer.operation}, http, SSE-KMS`);
      return [ours, peer].flatMap((row): Bar[] =>
        row && marks(row).length === 0 ? [messagesBar(row, row === ours ? "ours" : "peer")] : [],
      );
    });
  const notes = absent.map((peer) => `<p>${escaped(peer)}</p>`).join("");
  if (bars.length === 0) return notes === "" ? "" : section("Beside emulators", notes);
  return section(
    "Beside emulators",
    "<p>They keep everything in memory, encrypt nothing and check no signature. " +
      `Ours: all on, plain HTTP as well.</p>${chart(bars, "same requests, same machine", "messages per second")}${notes}`,
  );
}

function messagesBar(row: Row, tone: "ours" | "peer"): Bar {
  const value = row.messagesPerSecond;
  return { label: row.name, parts: [{ value, tone }], text: shortNumber(value) };
}

export function latencySection({ rows, halfLoad }: Results): string {
  const under = rows
    .filter(
      (row) => row.scheme !== undefined && row.p50Ms > 0 && usual(row) && marks(row).length === 0,
    )
    .map((row) => ({
      label: row.name,
      tone: toneOf(row),
      p50: row.p50Ms,
      p90: row.p90Ms,
      p99: row.p99Ms,
    }));
  const half = halfLoad.flatMap((it) => [
    {
      label: it.name,
      tone: "ours" as const,
      p50: it.p50Ms,
      p90: it.p90Ms,
      p99: it.p99Ms,
    },
    {
      label: "the bare floor, same rate",
      tone: "floor" as const,
      p50: it.floorP50Ms,
      p90: it.floorP90Ms,
      p99: it.floorP99Ms,
    },
    {
      label: "raw fsync, same rounds",
      tone: "floor" as const,
      p50: it.fsyncP50Ms,
      p90: it.fsyncP90Ms,
      p99: it.fsyncP99Ms,
    },
  ]);
  const lags = halfLoad
    .map(({ name, ratePerSecond, lagP99Ms }) =>
      escaped(
        `${name}: ${ratePerSecond} due each second; the generator woke late by ${shortNumber(lagP99Ms)} ms (p99).`,
      ),
    )
    .join(" ");
  const unit = "ms, logarithmic; ● p50, ○ p90, | p99";
  return section(
    "Latency",
    (half.length > 0
      ? `${spreadChart({ title: "at half load, open loop", unit, spreads: half })}<p>${lags}</p>`
      : "") +
      (under.length > 0 ? spreadChart({ title: "at full load", unit, spreads: under }) : ""),
  );
}

function toneOf({ subject }: Row): "ours" | "floor" | "peer" {
  if (subject === "sealpost") return "ours";
  return subject === "floor" ? "floor" : "peer";
}

export function cpuSection({ rows }: Results): string {
  const bars = rows
    .filter((row) => row.scheme !== undefined && usual(row) && marks(row).length === 0)
    .map((row): Bar => {
      const messages = row.messagesPerSecond / row.requestsPerSecond;
      const client = row.generatorMicroseconds / messages;
      return {
        label: row.name,
        parts: [
          { value: row.serverMicrosecondsPerMessage, tone: toneOf(row) },
          { value: client, tone: "second" },
        ],
        text: `${shortNumber(row.serverMicrosecondsPerMessage)} + ${shortNumber(client)}`,
      };
    });
  const unit = "µs for each message: all processes of the server + the generator";
  return section("CPU", chart(bars, "64 connections, 1 KiB", unit));
}

export function growthSection({ growth }: Results): string {
  if (growth.length === 0) return "";
  const charts = growth.map(({ of, operation, points }) =>
    growthChart({
      title: operation,
      unit: `by ${of}; 1 is ${shortNumber(points[0]?.microseconds ?? 0)} µs`,
      points: points.map(({ size, cost }) => ({ size, value: cost })),
      most: 1.1,
    }),
  );
  return section(
    "Growth",
    `<p>CPU of the server for each message, 1 = at the smallest size; the band is allowed.</p><div class="grid">${charts.join("")}</div>`,
  );
}

export function footprintSection({ footprint }: Results): string {
  if (!footprint) return "";
  const seconds = (values: readonly number[]) => values.map((it) => it.toFixed(2)).join(", ");
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const items = [
    `first start: ${seconds(footprint.firstStartSeconds)} s until it is ready`,
    `later start: ${seconds(footprint.laterStartSeconds)} s`,
    `resident when idle: ${mib(footprint.idleBytes)}, with the key process ${mib(footprint.idleTreeBytes)}`,
  ];
  return section("Start and memory", `<ul>${items.map((it) => `<li>${it}</li>`).join("")}</ul>`);
}

export function tableSection({ rows }: Results): string {
  const titles = [
    "",
    "requests/s",
    "messages/s",
    "ratio",
    "by CPU",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "server µs",
    "generator µs",
    "other cores",
    "slices",
    "generator",
  ];
  const lines = rows.map((row) => {
    const figures = [
      row.requestsPerSecond,
      row.messagesPerSecond,
      row.ratio,
      row.cpuRatio,
      row.p50Ms,
      row.p90Ms,
      row.p99Ms,
      row.serverMicroseconds,
      row.generatorMicroseconds,
      row.otherCores,
      row.slices,
    ];
    const cells = [...figures.map(shortNumber), row.generator];
    const failed = marks(row)
      .map((mark) => `<br><strong>✖ ${escaped(mark)}</strong>`)
      .join("");
    return `<tr><td>${escaped(row.name)}${failed}</td>${cells.map((cell) => `<td class="figure">${cell}</td>`).join("")}</tr>`;
  });
  const head = titles.map((title) => `<th>${title}</th>`).join("");
  return section(
    "All rows",
    `<div class="wide"><table><tr>${head}</tr>${lines.join("")}</table></div>`,
  );
}

export function section(title: string, content: string): string {
  return `<section><h2>${escaped(title)}</h2>${content}</section>`;
}

export type { Goal };
