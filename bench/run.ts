/**
 * `npm run bench [-- --short]`: throughput as a ratio to a bare node:https server in the same run,
 * start-up time and idle memory. 64 connections, 1 KiB bodies, signatures verified, policies
 * evaluated, fsync before every answer.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { startFloors } from "./floors.ts";
import { measureAll } from "./measure.ts";
import { treeResidentBytes } from "./processes.ts";
import { report } from "./report.ts";
import { type BenchServer, pause, startServer } from "./server.ts";
import { createResources } from "./setup.ts";
import { workloads } from "./workloads.ts";

const short = process.argv.includes("--short");
const rounds = short ? 3 : 5;
const timing = short ? { warmUpMs: 300, measureMs: 1_000 } : { warmUpMs: 1_500, measureMs: 2_000 };

const folder = mkdtempSync(join(tmpdir(), "sealpost-bench-"));
try {
  console.log(`node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(2)}`);
  const server = await startMeasured(join(folder, "data"));
  const floors = await startFloors(folder);
  try {
    const { kms, plain } = await createResources(server);
    const targets = [
      ...floors.targets,
      ...workloads(server, "SSE-KMS", kms),
      ...workloads(server, "no SSE", plain),
    ];
    console.log(report(await measureAll(targets, rounds, timing)));
    console.log(memory("after load", server.pid));
  } finally {
    floors.stop();
    await server.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Starts twice: the first start makes keys, certificates and the store. */
async function startMeasured(data: string): Promise<BenchServer> {
  const first = await startServer(data);
  await first.stop();
  const server = await startServer(data);
  const seconds = [first, server].map(({ readySeconds }) => readySeconds.toFixed(2));
  console.log(`ready in ${seconds[0]} s at the first start, in ${seconds[1]} s later`);
  await pause(2_000);
  console.log(memory("idle", server.pid));
  return server;
}

function memory(when: string, pid: number): string {
  const sizes = treeResidentBytes(pid).map((bytes) => Math.round(bytes / 2 ** 20));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return `RSS ${when}: server ${sizes[0]} MiB, with the key process ${all} MiB`;
}
