/**
 * What the shared store costs: SendMessage of 1 KiB over HTTPS at 64 connections, on the embedded
 * store, on PostgreSQL with one server, and with two servers on the same machine that share the
 * connections. PostgreSQL is a real one beside them, with fsync. All are up all the time; slices
 * come in turn, and ratios are of slices of one round: a slow minute of the machine is everybody's.
 * `node bench/postgres.ts [seconds of a slice] [rounds]`
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "../tests/harness/postgres/cluster.ts";
import { defaultConnections, type LoadTarget, measureOnce, median } from "./measure.ts";
import { familyCpuSeconds } from "./processes.ts";
import { type BenchServer, startServer } from "./server.ts";
import { clientsOf, createSome } from "./setup.ts";
import { workloadsOf } from "./workloads.ts";

const [, , seconds = "3", rounds = "7"] = process.argv;
const timing = { warmUpMs: 1_000, measureMs: Number(seconds) * 1000 };
const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-"));
const cluster = await startCluster();
const servers: BenchServer[] = [];

async function start(name: string, flags: readonly string[]): Promise<BenchServer> {
  const server = await startServer(join(folder, name), flags);
  servers.push(server);
  return server;
}

/** SendMessage to a queue without SSE-KMS. */
async function sendTo(...to: readonly BenchServer[]): Promise<readonly LoadTarget[]> {
  const [first] = to;
  if (!first) throw new Error("a server is asked");
  const resources = await createSome(clientsOf(first), "no SSE", []);
  return to.map((server) => {
    const [send] = workloadsOf(server, "https", "no SSE", resources);
    if (!send) throw new Error("SendMessage is among the workloads");
    return { ...send.target, connections: defaultConnections / to.length };
  });
}

interface Measured {
  readonly perSecond: number;
  /** CPU of the servers, and of PostgreSQL. */
  readonly serverMicroseconds: number;
  readonly databaseMicroseconds: number;
  readonly p99Ms: number;
}

async function measure(targets: readonly LoadTarget[]): Promise<Measured> {
  const database = Number(
    readFileSync(join(cluster.dataFolder, "postmaster.pid"), "utf8").split("\n")[0],
  );
  const before = familyCpuSeconds(database);
  const slices = await Promise.all(targets.map((target) => measureOnce(target, timing)));
  const databaseSeconds = familyCpuSeconds(database) - before;
  for (const { failed, firstFailure } of slices) if (failed > 0) throw new Error(firstFailure);
  const sum = (of: (slice: (typeof slices)[number]) => number) =>
    slices.reduce((total, slice) => total + of(slice), 0);
  const messages = sum((slice) => slice.messages);
  // The database also worked while the slice warmed up.
  const whole = messages * (1 + timing.warmUpMs / timing.measureMs);
  return {
    perSecond: sum((slice) => slice.messages / slice.seconds),
    serverMicroseconds: (sum((slice) => slice.serverCpuSeconds) / messages) * 1e6,
    databaseMicroseconds: (databaseSeconds / whole) * 1e6,
    p99Ms: Math.max(...slices.map(({ p99Ms }) => p99Ms)),
  };
}

try {
  const embedded = await sendTo(await start("sqlite", []));
  const store = ["--store", cluster.newStoreUrl()];
  const one = await start("one", store);
  mkdirSync(join(folder, "two"), { mode: 0o700 });
  for (const name of ["root.key", "credentials"]) {
    copyFileSync(join(folder, "one", name), join(folder, "two", name));
  }
  const two = await start("two", store);
  const setups = { embedded, one: await sendTo(one), two: await sendTo(one, two) };
  const names = ["embedded", "one", "two"] as const;
  const all: Readonly<Record<(typeof names)[number], Measured[]>> = {
    embedded: [],
    one: [],
    two: [],
  };
  // The first round is for the compilers.
  for (let round = 0; round <= Number(rounds); round += 1) {
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) {
      const measured = await measure(setups[name]);
      if (round > 0) all[name].push(measured);
    }
  }
  for (const name of names) {
    const of = (what: (one: Measured) => number) => Math.round(median(all[name].map(what)));
    console.log(
      `${name.padEnd(8)} ${of((it) => it.perSecond)}/s, p99 ${of((it) => it.p99Ms)} ms, CPU per ` +
        `message: servers ${of((it) => it.serverMicroseconds)} µs, PostgreSQL ` +
        `${of((it) => it.databaseMicroseconds)} µs`,
    );
  }
  const ratios = (a: Measured[], b: Measured[]) =>
    a.map((it, round) => it.perSecond / (b[round]?.perSecond ?? 0));
  const shown = (values: readonly number[]) =>
    `${median(values).toFixed(2)} (${values.map((value) => value.toFixed(2)).join(" ")})`;
  console.log(`one server of the embedded store: ${shown(ratios(all.one, all.embedded))}`);
  console.log(`two servers of one: ${shown(ratios(all.two, all.one))}`);
} finally {
  await Promise.all(servers.map((server) => server.child.exitCode ?? server.stop()));
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
