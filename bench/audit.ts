/**
 * What the audit costs. `node bench/audit.ts history [events]`: a page of LookupEvents by each
 * attribute, pruning and verification with 1,000,000 events (goal: a page in at most 50 ms).
 * `node bench/audit.ts load [--short] [--only WORKLOAD]`: throughput with data events off and on,
 * as a ratio to a server whose auditor records nothing (goals: at least 0.90 and 0.75).
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { Agent } from "node:https";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import type { Command, ResultsOf } from "../src/kernel/command.ts";
import { silentLog } from "../src/kernel/log.ts";
import type {
  AppendEvents,
  AuditEvent,
  LookupAttribute,
  LookupAuditEvents,
  UnlockAudit,
} from "../src/services/cloudtrail/store.ts";
import { openSqliteStore, type SqliteStore } from "../src/stores/sqlite/open.ts";
import { verifyHistory } from "../src/trails/history.ts";
import { pruneHistory } from "../src/workers/prune-history.ts";
import { measureAll, median, type Slice, type Target } from "./measure.ts";
import { type BenchServer, startServer } from "./server.ts";
import { createResources } from "./setup.ts";
import { workloads } from "./workloads.ts";

const accountId = "123456789012";
const region = "us-east-1";
const chainKey = { version: 1, key: new Uint8Array(32) };
const names = ["Decrypt", "GenerateDataKey", "CreateTopic", "PutKeyPolicy", "ListQueues"];

/** An event every ten seconds: a million of them are 115 days. */
function eventAt(index: number): AuditEvent {
  const name = names[index % names.length] ?? "";
  const id = String(index).padStart(12, "0");
  const arn = `arn:aws:kms:${region}:${accountId}:key/${index % 500}`;
  return {
    accountId,
    region,
    timeMs: index * 10_000,
    record: ["", JSON.stringify({ eventID: id, eventName: name, padding: "x".repeat(1100) })],
    history: {
      eventId: `00000000-0000-4000-8000-${id}`,
      eventName: name,
      eventSource: "kms.amazonaws.com",
      username: `user-${index % 100}`,
      accessKeyId: `AKIA${index % 100}`,
      readOnly: index % 3 !== 0,
      resources: [{ type: "AWS::KMS::Key", name: arn }],
    },
    trails: [],
  };
}

async function history(events: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-audit-"));
  const path = join(folder, "sealpost.db");
  const store = await openSqliteStore({ path, log: silentLog });
  try {
    await fill(store, events);
    console.log(`file ${Math.round(statSync(path).size / 2 ** 20)} MiB`);
    for (const attribute of attributes(events)) await lookup(store, attribute, events);
    await timed(`verify ${events} events`, async () => {
      const ask = store.query.bind(store);
      const [report] = await verifyHistory({ ask, chainKeys: [chainKey] }, []);
      if (report?.failures.length !== 0) throw new Error("the history is not valid");
    });
    await prune(store, events);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(store: SqliteStore, events: number): Promise<void> {
  const unlock: UnlockAudit = { kind: "audit.unlock", ...chainKey };
  await store.commit({ decidedUnder: [], commands: [unlock] });
  const each = 1000;
  await timed(`append ${events} events`, async () => {
    for (let at = 0; at < events; at += each) {
      const batch = Array.from({ length: each }, (_, index) => eventAt(at + index));
      const append: AppendEvents = { kind: "audit.append", events: batch };
      await store.commit({ decidedUnder: [], commands: [append] });
    }
  });
}

function attributes(events: number): readonly (LookupAttribute | undefined)[] {
  const rare = eventAt(Math.floor(events / 2));
  return [
    undefined,
    { name: "EventId", value: rare.history?.eventId ?? "" },
    { name: "EventName", value: "PutKeyPolicy" },
    { name: "EventName", value: "NoSuchEvent" },
    { name: "Username", value: "user-7" },
    { name: "EventSource", value: "kms.amazonaws.com" },
    { name: "AccessKeyId", value: "AKIA7" },
    { name: "ReadOnly", value: false },
    { name: "ResourceType", value: "AWS::KMS::Key" },
    { name: "ResourceName", value: `arn:aws:kms:${region}:${accountId}:key/7` },
  ];
}

/** The slowest of the first page, one in the middle and the last: each is a page of 50. */
async function lookup(
  store: SqliteStore,
  attribute: LookupAttribute | undefined,
  events: number,
): Promise<void> {
  const endMs = events * 10_000;
  const times: number[] = [];
  for (const share of [1, 0.5, 0.001]) {
    for (let round = 0; round < 5; round += 1) {
      const start = performance.now();
      await store.query<LookupAuditEvents>({
        kind: "audit.lookup",
        accountId,
        region,
        startMs: 0,
        endMs: endMs * share,
        limit: 51,
        ...(attribute && { attribute }),
      });
      times.push(performance.now() - start);
    }
  }
  const what = attribute
    ? `${attribute.name} ${String(attribute.value).slice(-24)}`
    : "no attribute";
  const worst = Math.max(...times).toFixed(1);
  console.log(
    `${`page by ${what}`.padEnd(48)} worst ${worst} ms, median ${median(times).toFixed(1)} ms`,
  );
}

async function prune(store: SqliteStore, events: number): Promise<void> {
  let longestMs = 0;
  const commit = async <const T extends readonly Command[]>(commands: T) => {
    const start = performance.now();
    const answer = await store.commit({ decidedUnder: [], commands });
    longestMs = Math.max(longestMs, performance.now() - start);
    if (answer.status !== "done") throw new Error("stale");
    return answer.results as unknown as ResultsOf<T>;
  };
  await timed(`prune ${events / 2} events`, () =>
    pruneHistory({
      clock: { now: () => (events / 2) * 10_000, at: () => () => {} },
      log: silentLog,
      ask: store.query.bind(store),
      commit,
      record: async () => {},
      retentionMs: 0,
      eventsMax: Number.MAX_SAFE_INTEGER,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
    }),
  );
  console.log(`longest commit of pruning ${longestMs.toFixed(1)} ms`);
}

async function timed(what: string, act: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await act();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

async function load(short: boolean, only: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-audit-"));
  console.log(`node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(2)}`);
  const servers: BenchServer[] = [];
  try {
    const hook = `--import=${new URL("without-audit.ts", import.meta.url).href}`;
    const kinds = ["none", "off", "on"] as const;
    const targets = new Map<string, Target[]>();
    for (const kind of kinds) {
      if (kind === "none") process.env.NODE_OPTIONS = hook;
      const server = await startServer(join(folder, kind));
      delete process.env.NODE_OPTIONS;
      servers.push(server);
      const { kms } = await createResources(server);
      if (kind === "on") await selectAll(server);
      const all = workloads(server, kind, kms);
      targets.set(
        kind,
        all.filter(({ name }) => name.startsWith(only)),
      );
    }
    const timing = { warmUpMs: 300, measureMs: 1_000 };
    const count = targets.get("none")?.length ?? 0;
    const inTurn = Array.from({ length: count }, (_, index) =>
      kinds.flatMap((kind) => targets.get(kind)?.[index] ?? []),
    );
    const slices = await measureAll(inTurn.flat(), short ? 5 : 15, timing);
    for (const row of inTurn) {
      const own = row.map((target) => slices.get(target) ?? []);
      const name = row[0]?.name.replace(", none", "") ?? "";
      console.log(`${name.padEnd(28)} ${ratios(own, rate)}; by CPU ${ratios(own, perCpuSecond)}`);
    }
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    for (const server of servers) if (server.child.exitCode === null) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Measure = (slice: Slice) => number;
const rate: Measure = ({ completed, seconds }) => completed / seconds;
/** Steadier where others use the machine: what a second of the server's CPU time carries. */
const perCpuSecond: Measure = ({ completed, serverCpuSeconds }) => completed / serverCpuSeconds;

function ratios(slices: readonly (readonly Slice[])[], measure: Measure): string {
  const [none = 1, off = 0, on = 0] = slices.map((own) => median(own.map(measure)));
  const share = (value: number) => (value / none).toFixed(2);
  return `${none.toFixed(0).padStart(6)}/s, data events off ${share(off)}, on ${share(on)}`;
}

/** A trail that delivers every data event and every management event. */
async function selectAll(server: BenchServer): Promise<void> {
  const cloudtrail = new CloudTrail({
    endpoint: server.httpsUrl,
    region,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    requestHandler: { httpsAgent: new Agent({ ca: server.ca }) },
  });
  await cloudtrail.createTrail({ Name: "all", S3BucketName: "audit-bucket" });
  const data = (type: string) => ({
    FieldSelectors: [
      { Field: "eventCategory", Equals: ["Data"] },
      { Field: "resources.type", Equals: [type] },
    ],
  });
  await cloudtrail.putEventSelectors({
    TrailName: "all",
    AdvancedEventSelectors: [
      { FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
      data("AWS::SQS::Queue"),
      data("AWS::SNS::Topic"),
    ],
  });
  await cloudtrail.startLogging({ Name: "all" });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [, , what = "history", events = "1000000"] = process.argv;
  const only = process.argv.indexOf("--only");
  const chosen = only < 0 ? "" : (process.argv[only + 1] ?? "");
  if (what === "load") await load(process.argv.includes("--short"), chosen);
  else await history(Number(events));
}
