/**
 * What the shared store costs: SendMessage of 1 KiB over HTTPS at 64 connections, on the embedded
 * store, on PostgreSQL with one server, and with two servers on the same machine (64 connections
 * each). PostgreSQL is a real one beside them, with fsync. `node bench/postgres.ts [seconds]`
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "../tests/harness/postgres/cluster.ts";
import { measureAll, type Slice, type Target } from "./measure.ts";
import { type BenchServer, startServer } from "./server.ts";
import { createResources, type Resources } from "./setup.ts";
import { workloads } from "./workloads.ts";

const timing = { warmUpMs: 1_000, measureMs: Number(process.argv[2] ?? 3) * 1000 };
const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-"));
const cluster = await startCluster();
const servers: BenchServer[] = [];

async function start(name: string, flags: readonly string[]): Promise<BenchServer> {
  const server = await startServer(join(folder, name), flags);
  servers.push(server);
  return server;
}

function rate(slices: readonly Slice[]): number {
  const [slice] = slices;
  if (slice === undefined || slice.failed > 0) throw new Error(`failed: ${slice?.firstFailure}`);
  return slice.messages / slice.seconds;
}

/** The first slice is for the compiler. */
async function measure(target: Target): Promise<number> {
  await measureAll([target], 1, timing);
  const measured = await measureAll([target], 1, timing);
  return rate(measured.get(target) ?? []);
}

/** The first workload: SendMessage to the queue without SSE-KMS. */
function sendTo(server: BenchServer, label: string, plain: Resources): Target {
  const [send] = workloads(server, label, plain);
  if (!send) throw new Error("SendMessage is among the workloads");
  return send;
}

try {
  const sqlite = await start("sqlite", []);
  const own = sendTo(sqlite, "embedded", (await createResources(sqlite)).plain);
  const embedded = await measure(own);
  await sqlite.stop();
  console.log(`embedded store: ${Math.round(embedded)}/s`);
  const store = ["--store", cluster.newStoreUrl()];
  const one = await start("one", store);
  const { plain } = await createResources(one);
  const first = sendTo(one, "PostgreSQL", plain);
  const alone = await measure(first);
  console.log(`PostgreSQL, one server: ${Math.round(alone)}/s, ${ratio(alone / embedded)}`);
  mkdirSync(join(folder, "two"), { mode: 0o700 });
  for (const name of ["root.key", "credentials"]) {
    copyFileSync(join(folder, "one", name), join(folder, "two", name));
  }
  const two = await start("two", store);
  const second = sendTo(two, "PostgreSQL", plain);
  const rates = await Promise.all([first, second].map(measure));
  const together = rates.reduce((sum, each) => sum + each, 0);
  console.log(
    `PostgreSQL, two servers: ${Math.round(together)}/s, ${ratio(together / alone)} of one`,
  );
} finally {
  await Promise.all(servers.map((server) => server.child.exitCode ?? server.stop()));
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}

function ratio(value: number): string {
  return value.toFixed(2);
}
