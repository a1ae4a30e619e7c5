/**
 * What further gateway threads cost: the same server with one thread and with two, loaded in turn
 * over HTTPS at 64 connections with SSE-KMS. Messages a second, and CPU of the server and its key
 * process for each message. `node bench/threads.ts [rounds] [threads] [begin of a name]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadTarget, measureAll, type Slice } from "./measure.ts";
import { type BenchServer, startServer } from "./server.ts";
import { createResources } from "./setup.ts";
import { workloads } from "./workloads.ts";

const rounds = Number(process.argv[2] ?? 5);
const threads = [1, Number(process.argv[3] ?? 2)];
const only = process.argv[4] ?? "";
const timing = { warmUpMs: 300, measureMs: 1_000 };
const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-"));
const servers: BenchServer[] = [];

async function targetsOf(count: number): Promise<LoadTarget[]> {
  const server = await startServer(join(folder, `t${count}`), ["--threads", String(count)]);
  servers.push(server);
  const { kms } = await createResources(server);
  return workloads(server, `${count} threads`, kms).filter(({ name }) => name.startsWith(only));
}

const rate = ({ messages, seconds }: Slice) => messages / seconds;
const cost = ({ serverCpuSeconds, messages }: Slice) => (serverCpuSeconds / messages) * 1e6;

function median(slices: readonly Slice[] | undefined, of: (slice: Slice) => number): number {
  // The first round is for the compiler.
  const values = (slices ?? [])
    .slice(1)
    .map(of)
    .toSorted((one, other) => one - other);
  return values[values.length >> 1] ?? 0;
}

try {
  console.log(`node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(2)}`);
  const sets: LoadTarget[][] = [];
  for (const count of threads) sets.push(await targetsOf(count));
  const slices = await measureAll(sets.flat(), rounds + 1, timing);
  const [alone = [], together = []] = sets;
  for (const [index, one] of alone.entries()) {
    const many = together[index];
    const both = [one, many].map((target) => target && slices.get(target));
    const failed = both.flatMap((each) => each ?? []).find((slice) => slice.failed > 0);
    if (failed) throw new Error(`failed: ${failed.firstFailure}`);
    const rates = both.map((each) => median(each, rate));
    const costs = both.map((each) => median(each, cost));
    const [rateOne = 0, rateMany = 0] = rates;
    const [costOne = 0, costMany = 0] = costs;
    console.log(
      `${one.name}: ${rates.map((value) => Math.round(value)).join(" and ")}/s (${(rateMany / rateOne).toFixed(2)}), ` +
        `${costs.map((value) => value.toFixed(1)).join(" and ")} µs of CPU a message (${(costMany / costOne).toFixed(2)})`,
    );
  }
} finally {
  await Promise.all(servers.map((server) => server.child.exitCode ?? server.stop()));
  rmSync(folder, { recursive: true, force: true });
}
