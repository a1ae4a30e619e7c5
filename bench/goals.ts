import { probes } from "./floors.ts";
import { marks, type Results, type Row } from "./results.ts";

/** What the product promises of its speed, with the number that this run found. */
export interface Goal {
  readonly goal: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Wished for, not asked. */
  readonly stretch?: number;
  readonly unit: string;
  /** Undefined: this run did not measure it, or what it measured had failures. */
  readonly measured: number | undefined;
  readonly remark?: string;
}

export type Verdict = "met" | "not met" | "not measured";

export function verdict({ measured, atLeast, atMost }: Goal): Verdict {
  if (measured === undefined || !Number.isFinite(measured)) return "not measured";
  if (atLeast !== undefined && measured < atLeast) return "not met";
  if (atMost !== undefined && measured > atMost) return "not met";
  return "met";
}

export type Found = Omit<Results, "goals"> & {
  readonly idle: { readonly queues: number; readonly share: number } | undefined;
};

export function goalsOf(found: Found): Goal[] {
  const row = rowFinder(found.rows);
  return [
    ...throughputGoals(row),
    ...envelopedGoals(row),
    ...peerGoals(found.rows, row),
    ...sealingGoals(found, row),
    ...latencyGoals(found),
    ...footprintGoals(found),
    ...growthGoals(found),
  ];
}

type FindRow = (name: string) => Row | undefined;

/** Rows without failures: what failed is no measurement. */
function rowFinder(rows: readonly Row[]): FindRow {
  return (name) => rows.find((row) => row.name === name && marks(row).length === 0);
}

function divide(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

function throughputGoals(row: FindRow): Goal[] {
  const ofFloor = (operation: string, scheme: "http" | "https") =>
    row(`${operation}, ${scheme}, SSE-KMS`);
  const unit = "of the floor's requests";
  const batch = ofFloor("SendMessageBatch of 10", "https")?.messagesPerSecond;
  const inserts = row(probes["store-insert-10"])?.messagesPerSecond;
  const drained = ofFloor("Receive 10 + DeleteBatch", "https");
  const ofOwn = divide(drained?.messagesPerSecond, row("bare node:https (own)")?.requestsPerSecond);
  const ofSingles = divide(batch, row(probes["store-insert-1"])?.messagesPerSecond);
  return [
    {
      goal: "SendMessage over HTTPS",
      atLeast: 0.42,
      stretch: 0.5,
      unit,
      measured: ofFloor("SendMessage", "https")?.ratio,
    },
    {
      goal: "SendMessage over HTTP",
      atLeast: 0.4,
      stretch: 0.5,
      unit,
      measured: ofFloor("SendMessage", "http")?.ratio,
    },
    {
      goal: "SendMessageBatch of 10",
      atLeast: 0.8,
      unit: "of the messages that the store alone inserts",
      measured: divide(batch, inserts),
      remark:
        "the store is given the same: ten messages a command, 64 commands under way" +
        (ofSingles === undefined ? "" : `; of its inserts one by one: ${ofSingles.toFixed(2)}`),
    },
    {
      goal: "Receive 10 + DeleteBatch",
      atLeast: 0.35,
      unit: "messages for each request of the floor",
      measured: drained?.messageRatio,
      ...(ofOwn !== undefined && { remark: `under the same generator: ${ofOwn.toFixed(2)}` }),
    },
    {
      goal: "Publish to 3 encrypted queues, raw",
      atLeast: 0.2,
      stretch: 0.3,
      unit,
      measured: ofFloor("Publish to 3 queues", "https")?.ratio,
    },
    {
      goal: "SendMessage of 256 KiB",
      atLeast: 0.5,
      unit: "of a floor that hashes, writes and fsyncs the same bytes",
      measured: divide(
        row("SendMessage, https, SSE-KMS, 256 KiB")?.requestsPerSecond,
        row("hash, write, fsync, https, 256 KiB")?.requestsPerSecond,
      ),
    },
  ];
}

function envelopedGoals(row: FindRow): Goal[] {
  const signatures = row(probes["rsa-2048"]);
  const name = "Publish to 1 queue";
  const alone = (what: string) => row(`${what}, https, SSE-KMS, 1 conn.`)?.p50Ms;
  const raw = alone(name);
  const enveloped = alone(`${name}, enveloped`);
  return [
    {
      goal: "Publish in an envelope",
      atLeast: 0.8,
      unit: "of the signatures that one core makes",
      measured: divide(
        row(`${name}, enveloped, https, SSE-KMS`)?.requestsPerSecond,
        signatures?.requestsPerSecond,
      ),
    },
    {
      goal: "the publisher does not wait for the signature",
      atMost: 0.5,
      unit: "signature times that an envelope adds to the median answer, one connection",
      measured:
        raw === undefined || enveloped === undefined || signatures === undefined
          ? undefined
          : ((enveloped - raw) * 1000) / signatures.serverMicroseconds,
    },
  ];
}

/** Each workload that both have, raw, in plain HTTP; ours with everything on. */
function peerGoals(rows: readonly Row[], row: FindRow): Goal[] {
  return rows
    .filter(({ subject }) => subject === "fauxqs" || subject === "moto")
    .map(({ operation, subject, name }) => ({
      goal: `faster than ${subject}: ${operation}`,
      atLeast: 1,
      unit: "of its messages per second",
      measured: divide(
        row(`${operation}, http, SSE-KMS`)?.messagesPerSecond,
        row(name)?.messagesPerSecond,
      ),
    }));
}

function sealingGoals({ sealing }: Found, row: FindRow): Goal[] {
  const rate = (probe: keyof typeof probes) => row(probes[probe])?.requestsPerSecond;
  return [
    {
      goal: "envelope function, 1 KiB",
      atMost: 1.3,
      unit: "times a bare createCipheriv",
      measured: divide(rate("cipher-1k"), rate("envelope-1k")),
    },
    {
      goal: "envelope function, 256 KiB",
      atLeast: 0.8,
      unit: "of openssl speed",
      measured: divide(rate("envelope-256k"), rate("openssl-256k")),
    },
    {
      goal: "SSE-KMS against no SSE",
      atMost: 2,
      unit: "µs of CPU for each message",
      measured: sealing?.microseconds,
      ...(sealing && {
        remark: `middle half of ${sealing.pairs} pairs: ${sealing.low.toFixed(1)} to ${sealing.high.toFixed(1)}`,
      }),
    },
  ];
}

function latencyGoals({ halfLoad }: Found): Goal[] {
  const goal = (name: string, title: string): Goal => {
    const found = halfLoad.find((it) => it.name === name && it.failed === 0);
    return {
      goal: title,
      atMost: 3,
      unit: "times the p99 of the bare fsync",
      measured: found?.p99PerFsync,
      ...(found && {
        remark:
          `${found.p99Ms.toFixed(2)} ms at ${found.ratePerSecond}/s, fsync ` +
          `${found.fsyncP99Ms.toFixed(2)} ms, the floor at this rate ${found.floorP99Ms.toFixed(2)} ms`,
      }),
    };
  };
  return [
    goal("SendMessage, https, SSE-KMS", "p99 of SendMessage at half load, HTTPS"),
    goal("SendMessage, http, SSE-KMS", "p99 of SendMessage at half load, HTTP"),
  ];
}

/** Memory under load counts where bodies are of 1 KiB. */
export function loadedBytes(rows: readonly Row[]): number | undefined {
  const sizes = rows
    .filter(({ subject, bodyBytes = 0 }) => subject === "sealpost" && bodyBytes <= 1024)
    .map(({ residentBytes }) => residentBytes);
  const largest = Math.max(0, ...sizes);
  return largest > 0 ? largest / 2 ** 20 : undefined;
}

function footprintGoals({ footprint, rows, idle }: Found): Goal[] {
  const middle = (values: readonly number[] | undefined) =>
    values && [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const mib = (bytes: number | undefined) => bytes && bytes / 2 ** 20;
  return [
    {
      goal: "ready at the first start",
      atMost: 1,
      unit: "s",
      measured: middle(footprint?.firstStartSeconds),
    },
    {
      goal: "ready at a later start",
      atMost: 0.5,
      unit: "s",
      measured: middle(footprint?.laterStartSeconds),
    },
    { goal: "resident, idle", atMost: 140, unit: "MiB", measured: mib(footprint?.idleBytes) },
    {
      goal: "resident, idle, with the key process",
      atMost: 200,
      unit: "MiB",
      measured: mib(footprint?.idleTreeBytes),
    },
    {
      goal: "resident, under load, with the key process",
      atMost: 320,
      unit: "MiB",
      measured: loadedBytes(rows),
    },
    {
      goal: "CPU of an idle server with 10,000 queues",
      atMost: 1,
      unit: "% of a core",
      measured: idle && idle.queues >= 10_000 ? idle.share * 100 : undefined,
      ...(idle && { remark: `with ${idle.queues} queues` }),
    },
  ];
}

function growthGoals({ growth }: Found): Goal[] {
  return growth.map(({ of, operation, points }) => {
    const costs = points.map(({ cost }) => cost);
    const last = points.at(-1)?.size ?? 0;
    const failed = points.some((point) => point.failed > 0);
    return {
      goal: `growth with ${of}: ${operation}`,
      atMost: 1.1,
      unit: `times the CPU at ${points[0]?.size ?? 0}, up to ${last.toLocaleString("en")}`,
      measured: failed || points.length < 2 ? undefined : Math.max(...costs),
    };
  });
}
