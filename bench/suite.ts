import { mkdirSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { type Case, choose, kib, type LoadCase } from "./cases.ts";
import { startFloors } from "./floors.ts";
import { measureFootprint } from "./footprint.ts";
import { wrkIsHere } from "./generators.ts";
import { goalsOf } from "./goals.ts";
import { type Growth, measureGrowth } from "./growth.ts";
import { type HalfLoad, measureHalfLoad } from "./half-load.ts";
import { createKmsKeys } from "./kms-workloads.ts";
import { markMissing } from "./landed.ts";
import { type LoadTarget, type MeasureOptions, measureAll, median } from "./measure.ts";
import type { Options } from "./options.ts";
import { noPeers, startPeers } from "./peers.ts";
import { planWithoutServers } from "./placeholders.ts";
import { allCases, type Hosts, topicsOf, underOtherGenerator } from "./plan.ts";
import {
  inRounds,
  type Machine,
  type Results,
  type Row,
  rowsOf,
  type SealingCost,
} from "./results.ts";
import { startServer } from "./server.ts";
import { clientsOf, createSome } from "./setup.ts";

const flags = ["--allow-insecure-sse"];

type Tell = (text: string) => void;

/** One run from the first start to the goals. */
export async function runSuite(options: Options, tell: Tell): Promise<Results> {
  const startedAt = new Date();
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > cpus().length / 2) {
    tell(`load ${loadBefore.toFixed(1)}: others use this machine; only CPU times will hold`);
  }
  const { short, only, rounds, sliceMs, generator } = options;
  const footprint = only === undefined ? await footprintOf(options, tell) : undefined;
  const wanted = choose(allCases(planWithoutServers(short)), options);
  const loaded = wanted.length > 0 ? await underLoad(options, wanted, tell) : nothing;
  const growth: Growth =
    options.growthMax > 0
      ? await measureGrowth({
          folder: options.folder,
          rounds,
          sizeMax: options.growthMax,
          only,
          progress: tell,
        })
      : { curves: [], idle: undefined };
  const found = {
    form: short ? ("short" as const) : ("full" as const),
    only,
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    rounds,
    sliceMs,
    machine: machineOf(loadBefore),
    generator,
    ...loaded,
    footprint,
    growth: growth.curves,
    idle: growth.idle,
  };
  return { ...found, goals: goalsOf(found) };
}

function machineOf(loadBefore: number): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    loadBefore,
    loadAfter: loadavg()[0] ?? 0,
  };
}

async function footprintOf({ short, folder }: Options, tell: Tell) {
  tell("starts, and memory when idle");
  return measureFootprint(folder, short ? 2 : 5, short ? 1_500 : 5_000);
}

type UnderLoad = Pick<Results, "rows" | "absent" | "sealing" | "halfLoad">;

/** Where the text that was asked for names curves only. */
const nothing: UnderLoad = { rows: [], absent: [], sealing: undefined, halfLoad: [] };

async function underLoad(
  options: Options,
  wanted: readonly Case[],
  tell: Tell,
): Promise<UnderLoad> {
  await using hosts = await startHosts(options, wanted, tell);
  const { short, only, rounds, warmUpMs, sliceMs, generator, folder } = options;
  const chosen = choose(allCases(hosts), { short, only });
  const other = generator === "wrk" ? "own" : "wrk";
  const compare = only === undefined && (other === "own" || wrkIsHere());
  const cases = [...chosen, ...(compare ? underOtherGenerator(chosen, other) : [])];
  const measuring: MeasureOptions = { generator, progress: tell };
  tell(`${cases.length} rows, ${rounds} slices each`);
  const targets = cases.map(({ target }) => target);
  const slices = await measureAll(targets, rounds, { warmUpMs, measureMs: sliceMs }, measuring);
  const rows = rowsOf(cases, slices);
  const [main, large] = [clientsOf(hosts.server), clientsOf(hosts.large)];
  const checked = await markMissing(rows, cases, slices, (target) =>
    "pid" in target && target.pid === hosts.large.pid ? large : main,
  );
  return {
    rows: checked,
    absent: hosts.absent,
    sealing: only === undefined && !short ? await sealingCost(cases, tell) : undefined,
    halfLoad: await halfLoads(checked, cases, folder, options, measuring),
  };
}

/** Only those that the wanted rows are measured on; the others have no rows. */
async function startHosts(
  { short, folder }: Options,
  wanted: readonly Case[],
  tell: Tell,
): Promise<Hosts & AsyncDisposable & { readonly absent: readonly string[] }> {
  tell("servers, floors and peers");
  await using stack = new AsyncDisposableStack();
  const start = async (name: string) => {
    const server = await startServer(join(folder, name), flags);
    stack.defer(() => server.stop());
    return server;
  };
  const own = join(folder, "floors");
  mkdirSync(own, { recursive: true });
  const floors = await startFloors(own);
  stack.defer(() => floors.stop());
  const topics = topicsOf(short);
  const peersWanted = wanted.some(({ subject }) => subject === "fauxqs");
  const peers = peersWanted ? await startPeers(topics.peers, short) : noPeers;
  stack.defer(() => peers.stop());
  const server = await start("main");
  const largeWanted = wanted.some((it) => it.subject === "sealpost" && (it.bodyBytes ?? 0) > kib);
  const large = largeWanted ? await start("large") : server;
  const clients = clientsOf(server);
  const sealed = await createSome(clients, "SSE-KMS", topics["SSE-KMS"]);
  const hosts: Hosts = {
    floors,
    server,
    large,
    resources: {
      "SSE-KMS": sealed,
      "SSE-SQS": await createSome(clients, "SSE-SQS", topics["SSE-SQS"]),
      "no SSE": await createSome(clients, "no SSE", topics["no SSE"]),
    },
    largeResources: largeWanted
      ? await createSome(clientsOf(large), "SSE-KMS", topics.large)
      : sealed,
    kmsKeys: await createKmsKeys(clients),
    peers: peers.cases,
    folder: own,
  };
  const running = stack.move();
  return { ...hosts, absent: peers.absent, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function loadCase(cases: readonly Case[], name: string): LoadCase | undefined {
  return cases.find((it): it is LoadCase => "work" in it.target && it.target.name === name);
}

/** Short slices of both in pairs, many of them: what is looked for is small beside the noise. */
async function sealingCost(cases: readonly Case[], tell: Tell): Promise<SealingCost | undefined> {
  const of = (name: string): LoadTarget | undefined => {
    const found = loadCase(cases, name)?.target;
    return found && { ...found, generator: "own" };
  };
  const sealed = of("SendMessage, https, SSE-KMS");
  const plain = of("SendMessage, https, no SSE");
  if (!sealed || !plain) return undefined;
  tell("what SSE-KMS costs");
  const timing = { warmUpMs: 200, measureMs: 1_000 };
  const quiet = { progress: () => undefined };
  const slices = await measureAll([sealed, plain], 25, timing, quiet);
  const differences = inRounds(slices.get(sealed) ?? [], slices.get(plain), (one, other) => {
    const [dear, cheap] = [one, other].map((it) => it.serverCpuSeconds / Math.max(1, it.messages));
    return ((dear ?? 0) - (cheap ?? 0)) * 1e6;
  }).sort((a, b) => a - b);
  const at = (share: number) => differences[Math.floor(differences.length * share)] ?? 0;
  return {
    microseconds: median(differences),
    low: at(0.25),
    high: at(0.75),
    pairs: differences.length,
  };
}

async function halfLoads(
  rows: readonly Row[],
  cases: readonly Case[],
  folder: string,
  { short, rounds, only }: Options,
  measuring: MeasureOptions,
): Promise<HalfLoad[]> {
  const both = ["SendMessage, https, SSE-KMS", "SendMessage, http, SSE-KMS"];
  const names = short ? both.slice(0, 1) : both;
  // Each slice has a generator of its own: until its code is compiled, it is what is measured.
  const timing = { warmUpMs: 3_000, measureMs: short ? 2_000 : 4_000 };
  const found: HalfLoad[] = [];
  for (const name of names) {
    const row = rows.find((it) => it.name === name);
    const it = loadCase(cases, name);
    const floor = it?.floor === undefined ? undefined : loadCase(cases, it.floor);
    const wanted = only === undefined || "half load sendmessage".includes(only.toLowerCase());
    if (!row || !it || !floor || !wanted || row.requestsPerSecond === 0) continue;
    measuring.progress?.(`latency at half load: ${name}`);
    const quiet = { ...measuring, progress: () => undefined };
    const times = short ? 1 : rounds;
    found.push(await measureHalfLoad(it, floor, row, folder, times, timing, quiet));
  }
  return found;
}
